"""Each claim on made-up evidence that supports it, contradicts it, and settles nothing."""

import math

import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, censored, record, survives_its_file
from scipy import stats

from channel_sparsity.analysis import tables
from channel_sparsity.analysis.claims import CLAIMS, COLUMNS, claims
from channel_sparsity.analysis.evidence import Evidence, Line, gather, printed
from channel_sparsity.analysis.paper import METHODS
from channel_sparsity.analysis.statistics import Estimate
from channel_sparsity.naming import NETWORKS

MARGINS = {"pk": 0.05, "m": 0.03, "r": 0.1}
JUDGES = {claim.name: claim.judge for claim in CLAIMS}
WS = (0.1, 0.5, 1.1, 1.8, 2.8, 3.4)
WIGGLE = (0.01, -0.01, 0.005, 0.005, -0.01, 0.01)
VGGS, MOBILENETS = NETWORKS[:4], NETWORKS[8:]


def evidence(networks=("vgg11", "resnet11"), recipe="slimming", recipes=("slimming",), **columns):
    """A study whose cells have `columns`: each a function of network, recipe and place on the grid of lambdas."""
    columns = {
        "ws": lambda network, recipe, place: WS[place],
        "pk": lambda network, recipe, place: 0.6 + 0.05 * WS[place] + WIGGLE[place],
    } | columns
    records = []
    for network in networks:
        for each in recipes:
            for place, lam in enumerate(LAMBDAS):
                values = {name: function(network, each, place) for name, function in columns.items()}
                knee = values.pop("knee", {})
                records.append(record(network, each, lam, **(values | knee)))
    return gather(tables.cells(records, 1), recipe, MARGINS)


def lines(**values):
    """Evidence that has lines only: `z`, `m` or `b` of each network by a function, with an error of .1 unless given."""
    error = values.pop("error", 0.1)
    networks = values.pop("networks", NETWORKS)
    empty = pandas.DataFrame({name: [] for name in ("network", "width_scale")})
    made = {
        network: Line(**{name: Estimate(values[name](network), error) if name in values else None for name in "zmb"})
        for network in networks
    }
    return Evidence(empty, empty, made, empty, MARGINS)


def knee(loss=0.03, compression=0.8, low=None, high=None, **changes):
    resampled = {"low": low, "high": high, "accuracy_loss_held_out": 0.04}
    return {"accuracy_loss": loss, "compression_rate": compression, "resampled": resampled} | changes


def of_pk(function):
    return evidence(pk=lambda network, recipe, place: function(place))


def of_ws(function):
    return evidence(ws=lambda network, recipe, place: function(place))


def of_knee(function, **keywords):
    return evidence(knee=lambda network, recipe, place: function(network, place), **keywords)


def of_methods(difference, slope=0.0, noise=0.0):
    def pk(network, recipe, place):
        ours = 0.6 + 0.05 * WS[place] + WIGGLE[place]
        return ours + (recipe == "ista") * (difference + slope * WS[place] + noise * WIGGLE[place])

    return evidence(recipes=("ista", "slimming"), pk=pk)


def of_family(name, first, lead, **keywords):
    return lines(**{name: lambda network: lead if network.startswith(first) else 0.0}, **keywords)


def of_b(pk_at_0, slope=0.05, noise=0.1):
    """PK at lambda 0, where WS is .1, beside a line through the other lambdas whose b is .6."""
    return of_pk(lambda place: pk_at_0 if place == 0 else 0.6 + slope * WS[place] + noise * WIGGLE[place])


def of_trend(name, step, **keywords):
    return lines(**{name: lambda network: step * (NETWORKS.index(network) % 4)}, **keywords)


CASES = {
    "pk_grows_with_ws": lambda: (
        of_pk(lambda place: 0.6 + 0.05 * WS[place] + WIGGLE[place]),
        of_pk(lambda place: 0.9 - 0.05 * WS[place] + WIGGLE[place]),
        of_pk(lambda place: 0.6 + 5 * WIGGLE[place]),
    ),
    "ws_above_zero": lambda: (
        of_ws(lambda place: 0.1 + place),
        of_ws(lambda place: place - 10),
        of_ws(lambda place: place - 2.5),
    ),
    "ws_grows_with_lambda": lambda: (
        of_ws(lambda place: WS[place]),
        of_ws(lambda place: -WS[place]),
        of_ws(lambda place: (1, 3, 2, 4, 0, 2.5)[place]),
    ),
    "compression_grows_with_ws": lambda: (
        of_knee(lambda network, place: knee(compression=0.6 + 0.05 * WS[place] + WIGGLE[place])),
        of_knee(lambda network, place: knee(compression=0.9 - 0.05 * WS[place] + WIGGLE[place])),
        of_knee(lambda network, place: knee(compression=0.6 + 5 * WIGGLE[place])),
    ),
    "loss_at_pk": lambda: (
        of_knee(lambda network, place: knee(loss=0.03 + 0.5 * WIGGLE[place])),
        # In the mean over networks the loss is fine; one of them loses 8 points.
        of_knee(lambda network, place: knee(loss=(0.08 if network == "vgg11" else 0.02) + 0.1 * WIGGLE[place])),
        of_knee(lambda network, place: knee(loss=0.03 + 5 * WIGGLE[place])),
    ),
    "method_matters_little_to_pk": lambda: (
        of_methods(0.02, noise=0.1),
        of_methods(0.2, noise=0.1),
        of_methods(0.01, noise=9),
    ),
    "method_matters_little_to_the_slope": lambda: (
        of_methods(0.2, slope=0.01, noise=0.1),
        of_methods(0.0, slope=0.2, noise=0.1),
        of_methods(0.0, slope=0.02, noise=9),
    ),
    "mobilenets_have_the_highest_r": lambda: (
        of_family("z", "mobilenet", 1),
        of_family("z", "resnet", 1),
        of_family("z", "mobilenet", 0.1),
    ),
    "mobilenets_have_the_highest_m": lambda: (
        of_family("m", "mobilenet", 1),
        of_family("m", "vgg", 1),
        of_family("m", "mobilenet", 0.1),
    ),
    "mobilenet_1_is_the_steepest": lambda: (
        of_family("m", "mobilenet1.00", 1),
        of_family("m", "vgg16", 1),
        of_family("m", "mobilenet", 1),
    ),
    "vggs_have_the_largest_b": lambda: (
        of_family("b", "vgg", 1),
        of_family("b", "mobilenet", 1),
        of_family("b", "vgg", 0.1),
    ),
    "vgg16_has_the_largest_b": lambda: (
        of_family("b", "vgg16", 1),
        of_family("b", "vgg19", 1),
        of_family("b", "vgg", 1),
    ),
    "b_is_pk_without_sparsification": lambda: (of_b(0.605), of_b(0.8), of_b(0.65, noise=5)),
    "vggs_prune_without_sparsification": lambda: (
        of_knee(lambda network, place: knee(low=0.6, high=0.8), networks=VGGS),
        of_knee(lambda network, place: knee(low=0.2, high=0.4, pk=0.3), networks=("vgg11", "resnet11")),
        of_knee(lambda network, place: knee(low=0.4, high=0.8), networks=VGGS),
    ),
    "r_rises_with_width": lambda: (of_trend("z", 1), of_trend("z", -1), of_trend("z", 0.01)),
    "r_falls_with_depth": lambda: (of_trend("z", -1), of_trend("z", 1), of_trend("z", -0.01)),
    "no_pattern_over_variants": lambda: (
        of_trend("m", 0.01, error=0.001),
        of_trend("m", 0.1, error=0.01),
        of_trend("m", 0.01, error=0.1),
    ),
}


@pytest.mark.parametrize("name", JUDGES)
def test_every_claim_has_all_three_verdicts(name):
    findings = [JUDGES[name](each) for each in CASES[name]()]
    assert [each.verdict for each in findings] == ["supported", "contradicted", "undecided"]
    for each in findings:
        assert each.estimate_low is None or each.estimate_low <= each.estimate <= each.estimate_high


@pytest.mark.parametrize("name", JUDGES)
def test_without_cells_every_claim_is_undecided_and_says_why(name):
    finding = JUDGES[name](evidence(knee=lambda network, recipe, place: censored()))
    if name in ("ws_above_zero", "ws_grows_with_lambda"):
        assert finding.verdict == "supported", "what is said of WS needs no knee"
    else:
        assert finding.verdict == "undecided" and finding.reason and finding.estimate is None


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("mobilenets_have_the_highest_r", of_family("z", "mobilenet", 1, networks=NETWORKS[1:])),
        ("mobilenet_1_is_the_steepest", of_family("m", "mobilenet1.00", 1, networks=NETWORKS[1:])),
        ("vggs_have_the_largest_b", of_family("b", "vgg", 1, networks=(*VGGS, *MOBILENETS))),
        ("no_pattern_over_variants", of_trend("m", 0.01, error=0.001, networks=VGGS)),
    ],
)
def test_a_claim_on_all_networks_is_not_supported_by_some(name, made):
    finding = JUDGES[name](made)
    assert finding.verdict == "undecided"
    assert "no estimate for" in finding.reason


def test_but_some_can_contradict_it():
    finding = JUDGES["mobilenet_1_is_the_steepest"](of_family("m", "vgg16", 1, networks=("vgg16", "mobilenet1.00")))
    assert finding.verdict == "contradicted"
    assert "no estimate for 10 of the 12 networks" in finding.reason


def test_the_highest_of_eleven_others_is_higher_by_chance():
    # VGG-16 leads by 2.1 standard errors, which would be certain of one network chosen beforehand.
    finding = JUDGES["mobilenet_1_is_the_steepest"](of_family("m", "vgg16", 0.3))
    assert finding.estimate_high < 0 and finding.verdict == "undecided"


@pytest.mark.parametrize(("networks", "verdict"), [(("vgg11",), "undecided"), (("vgg11", "vgg13"), "supported")])
def test_perfect_order_of_four_lambdas_takes_two_networks(networks, verdict):
    records = [record(network, lam=lam, ws=place) for network in networks for place, lam in enumerate(LAMBDAS[:4])]
    finding = JUDGES["ws_grows_with_lambda"](gather(tables.cells(records, 1), "slimming", MARGINS))
    assert (finding.verdict, finding.estimate, finding.estimate_low) == (verdict, pytest.approx(1), None)
    p = float(finding.reason.removeprefix("one-sided p = "))
    assert p == pytest.approx(24.0 ** -len(networks), abs=0.005)


def test_four_variants_in_order_are_not_enough_by_themselves():
    finding = JUDGES["r_rises_with_width"](of_trend("z", 0.1, error=1 / math.sqrt(3)))
    assert finding.verdict == "undecided"
    assert finding.reason == "four variants in perfect order have p = 1/24 by order alone"


def test_a_trend_is_the_slope_over_the_variants():
    values = dict(zip(MOBILENETS, (0.9, 2.3, 2.5, 2.6), strict=True))
    finding = JUDGES["r_rises_with_width"](lines(z=lambda network: values.get(network, 0.0), error=0.5))
    assert finding.estimate == pytest.approx(stats.linregress(range(4), list(values.values())).slope)
    half = stats.norm.ppf(0.975) * 0.5 / math.sqrt(5)  # the sum of squares of 0, 1, 2, 3 about their mean is 5
    assert finding.estimate_high - finding.estimate == pytest.approx(half)


def test_b_is_compared_with_a_point_that_is_not_in_its_line():
    made = of_b(0.8, noise=1)
    finding = JUDGES["b_is_pk_without_sparsification"](made)
    ws, pk = numpy.array(WS[1:]), 0.6 + 0.05 * numpy.array(WS[1:]) + numpy.array(WIGGLE[1:])
    fit = stats.linregress(ws, pk)
    assert finding.estimate == pytest.approx(fit.intercept - 0.8)
    residual = math.sqrt(((pk - fit.intercept - fit.slope * ws) ** 2).sum() / 3)
    # Two networks that are the same: half the variance, and twice the degrees of freedom.
    error = math.hypot(fit.intercept_stderr, residual) / math.sqrt(2)
    assert finding.estimate_high - finding.estimate == pytest.approx(stats.t.ppf(0.975, 6) * error)


def test_a_network_in_which_pk_falls_is_named():
    def pk(network, recipe, place):
        return 0.6 + (0.1 if network == "vgg11" else -0.02) * WS[place] + 0.1 * WIGGLE[place]

    finding = JUDGES["pk_grows_with_ws"](evidence(pk=pk))
    assert "falls for certain in ResNet-11" in finding.reason
    assert "differ in slope (p = 0.000)" in finding.reason


def test_liu_comes_before_ye_whatever_the_order_of_the_recipes():
    finding = JUDGES["method_matters_little_to_pk"](of_methods(0.2, noise=0.1))
    assert finding.estimate == pytest.approx(-0.2, abs=0.01)


def test_the_papers_own_numbers():
    theirs = {recipe: printed(recipe, MARGINS) for recipe in METHODS}
    verdicts = {recipe: {name: judge(theirs[recipe]).verdict for name, judge in JUDGES.items()} for recipe in METHODS}
    for recipe in METHODS:
        assert verdicts[recipe]["pk_grows_with_ws"] == "supported"
        assert verdicts[recipe]["loss_at_pk"] == "supported"
        assert verdicts[recipe]["mobilenets_have_the_highest_m"] == "supported"
        assert verdicts[recipe]["mobilenet_1_is_the_steepest"] == "undecided"
        assert verdicts[recipe]["r_falls_with_depth"] == "undecided"
        # In Table 1 Ye's PK is 3 to 9 points higher in every row, at the same slope.
        assert verdicts[recipe]["method_matters_little_to_pk"] == "contradicted"
        assert verdicts[recipe]["method_matters_little_to_the_slope"] == "supported"
    assert [verdicts[recipe]["mobilenets_have_the_highest_r"] for recipe in METHODS] == ["undecided", "supported"]


def test_the_slopes_errors_follow_from_r():
    x, y = numpy.random.default_rng(0).normal(size=(2, 6))
    fit = stats.linregress(x, y)
    assert abs(fit.slope / fit.rvalue) * math.sqrt((1 - fit.rvalue**2) / 4) == pytest.approx(fit.stderr)
    assert printed("slimming", MARGINS).lines["vgg11"].m.error == pytest.approx(0.06 / 0.979 * math.sqrt(0.041559 / 4))


def test_the_table(tmp_path):
    records = [
        record("vgg11", recipe, lam, ws=WS[place], pk=0.6 + 0.05 * WS[place] + WIGGLE[place])
        for recipe in ("slimming", "ista", "random")
        for place, lam in enumerate(LAMBDAS)
    ]
    table = claims(tables.cells(records, 1), MARGINS)
    assert list(dict.fromkeys(table["claim"])) == list(JUDGES)
    assert set(table.loc[table["claim"] == "pk_grows_with_ws", "recipe"]) == {"slimming", "ista"}
    assert set(table.loc[table["claim"] == "ws_above_zero", "recipe"]) == {""}
    for each in (
        table,
        claims(tables.cells([], 1), MARGINS),
        claims(tables.cells([record(recipe="random")], 1), MARGINS),
    ):
        assert ((each["verdict"] != "undecided") | (each["reason"] != "") | each["estimate"].notna()).all()
        assert survives_its_file(each, COLUMNS, tmp_path)
    assert (table.loc[table["claim"] == "vggs_have_the_largest_b", "printed_verdict"] == "").all()
