import numpy
import pytest
from cells_for_tests import LAMBDAS, no_knee, record, survives_its_file
from scipy import stats

from channel_sparsity.tables import study as tables
from channel_sparsity.tables.comparisons import COMPARISONS, comparisons, equivalence

MARGINS = {"pk": 0.05, "m": 0.03, "r": 0.1}
WS = numpy.array([0.1, 0.5, 1.1, 1.8, 2.8, 3.4])
NOISE = numpy.array([0.01, -0.02, 0.015, 0.0, -0.01, 0.005])


def compare(pk, seeds=(1,)):
    """comparisons.csv of a study; `pk` maps (network, recipe) to PK at the six lambdas."""
    records = [
        record(network, recipe, lam, seed, ws=WS[place], pk=values[place])
        for (network, recipe), values in pk.items()
        for place, lam in enumerate(LAMBDAS)
        for seed in seeds
    ]
    return comparisons(tables.cells(records, 1), MARGINS).set_index(["network", "quantity"])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.04, 0.03, "equivalent"),
        (0.01, 0.04, "equivalent"),
        (0.01, 0.06, "different"),
        (-0.2, -0.1, "different"),
        (-0.01, 0.06, "undecided"),
        (-1, 1, "undecided"),
        (None, None, "undecided"),
    ],
)
def test_the_three_verdicts(low, high, verdict):
    assert equivalence(low, high, 0.05) == verdict


@pytest.mark.parametrize("seed", range(4))
def test_a_pair_is_compared_on_its_differences(seed):
    one, two = 0.6 + 0.05 * WS + numpy.random.default_rng(seed).normal(0, 0.03, (2, 6))
    table = compare({("vgg11", "slimming"): one, ("vgg11", "ista"): two})
    pk, m = table.loc[("vgg11", "pk")], table.loc[("vgg11", "m")]
    paired = stats.ttest_rel(one, two).confidence_interval()
    assert (pk["difference_low"], pk["difference_high"]) == pytest.approx(tuple(paired))
    assert pk["difference"] == pytest.approx(one.mean() - two.mean())
    slopes = [stats.linregress(WS, values).slope for values in (one, two)]
    assert (m["value"], m["value_other"]) == pytest.approx(slopes)
    fit = stats.linregress(WS, one - two)
    assert m["difference"] == pytest.approx(fit.slope)
    interval = stats.t.interval(0.95, 4, fit.slope, fit.stderr)
    assert (m["difference_low"], m["difference_high"]) == pytest.approx(interval)
    r = table.loc[("vgg11", "r")]
    assert r["value"] == pytest.approx(numpy.corrcoef(WS, one)[0, 1])
    assert r["difference_low"] < r["difference"] < r["difference_high"]


def test_recipes_that_do_the_same_are_equivalent_and_others_differ():
    base = 0.6 + 0.05 * WS + NOISE
    same = compare({("vgg11", "slimming"): base, ("vgg11", "ista"): base + 0.02 * NOISE})
    # Fisher's bounds lie unevenly about a high r, so that six points never show two of them to be equivalent.
    assert list(same["verdict"]) == ["equivalent", "equivalent", "undecided"]
    shifted = compare({("vgg11", "slimming"): base, ("vgg11", "ista"): base - 0.1 + 0.02 * NOISE})
    assert list(shifted["verdict"]) == ["different", "equivalent", "undecided"]
    opposite = compare({("vgg11", "slimming"): base, ("vgg11", "random"): 0.8 - 0.05 * WS - NOISE})
    assert list(opposite["verdict"])[1:] == ["different", "different"]
    noisy = compare({("vgg11", "slimming"): base, ("vgg11", "ista"): base - 10 * NOISE[::-1]})
    assert list(noisy["verdict"])[:2] == ["undecided"] * 2


@pytest.mark.parametrize("apart", [0.0, 0.02])
def test_recipes_with_the_same_curves_or_evenly_apart_are_equivalent_in_r_too(apart):
    base = 0.6 + 0.05 * WS + 3 * NOISE
    table = compare({("vgg11", "slimming"): base, ("vgg11", "ista"): base + apart})
    assert list(table["verdict"]) == ["equivalent"] * 3
    assert table.loc[("vgg11", "r"), ["difference_low", "difference_high"]].tolist() == [0, 0]


def test_in_rows_of_all_each_network_is_one_observation():
    rng = numpy.random.default_rng(5)
    pk = {("vgg19", "slimming"): 0.6 + 0.05 * WS + NOISE}  # pruned by one recipe only, and so in no row
    for place, network in enumerate(("vgg11", "vgg13", "resnet11", "resnet20")):
        pk[network, "slimming"] = 0.3 + 0.1 * place + 0.05 * WS + rng.normal(0, 0.01, 6)
        pk[network, "ista"] = pk[network, "slimming"] + 0.02 * place + (0.01 * place - 0.02) * WS
    table = compare(pk)
    networks = ["vgg11", "vgg13", "resnet11", "resnet20"]
    assert list(dict.fromkeys(table.index.get_level_values("network"))) == [*networks, "all"]
    one, two = ({network: pk[network, recipe] for network in networks} for recipe in ("slimming", "ista"))
    means = [[own[network].mean() for network in networks] for own in (one, two)]
    slopes = [[numpy.polyfit(WS, own[network], 1)[0] for network in networks] for own in (one, two)]
    for quantity, (ours, theirs) in {"pk": means, "m": slopes}.items():
        row, interval = table.loc[("all", quantity)], stats.ttest_rel(ours, theirs).confidence_interval()
        assert (row["value"], row["value_other"]) == pytest.approx((numpy.mean(ours), numpy.mean(theirs)))
        assert row["difference"] == pytest.approx(numpy.mean(ours) - numpy.mean(theirs))
        assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(interval))
        assert row["n"] == 24
    centred = [numpy.concatenate([values - values.mean() for values in own.values()]) for own in (one, two)]
    ws = numpy.tile(WS - WS.mean(), 4)
    row = table.loc[("all", "r")]
    assert [row["value"], row["value_other"]] == pytest.approx([numpy.corrcoef(ws, each)[0, 1] for each in centred])


def test_many_lambdas_of_two_networks_that_disagree_settle_nothing():
    base = 0.6 + 0.05 * WS + NOISE
    table = compare(
        {
            ("vgg11", "slimming"): base,
            ("vgg11", "ista"): base + 0.02 + 0.1 * NOISE,
            ("resnet11", "slimming"): base,
            ("resnet11", "ista"): base + 0.2 - 0.1 * NOISE,
        }
    )
    assert table.loc[("vgg11", "pk"), "verdict"] == "equivalent"
    assert table.loc[("resnet11", "pk"), "verdict"] == "different"
    row = table.loc[("all", "pk")]
    assert (row["verdict"], row["reason"]) == ("undecided", "an interval takes 3 networks")
    assert row[["difference_low", "difference_high"]].isna().all()


def test_a_network_that_alone_has_a_slope_does_not_speak_for_all():
    flat = {
        (network, recipe): numpy.full(6, 0.5) for network in ("resnet11", "vgg13") for recipe in ("slimming", "ista")
    }
    records = [
        record(network, recipe, lam, 1, ws=WS[place], pk=values[place])
        for (network, recipe), values in (
            flat | {("vgg11", "slimming"): 0.3 + 0.05 * WS + NOISE, ("vgg11", "ista"): 0.3 + 0.2 * WS - NOISE}
        ).items()
        for place, lam in enumerate(LAMBDAS[: 6 if network == "vgg11" else 2])
    ]
    table = comparisons(tables.cells(records, 1), MARGINS).set_index(["network", "quantity"])
    own, row = table.loc[("vgg11", "m")], table.loc[("all", "m")]
    assert own["verdict"] == "different" and row["difference"] == own["difference"]
    assert (row["verdict"], row["reason"]) == ("undecided", "an interval takes 3 networks")
    assert row[["difference_low", "difference_high"]].isna().all()


def test_recipes_are_compared_at_the_same_repair_only():
    records = [
        record("vgg11", recipe, lam, ws=WS[place], pk=0.6 + 0.05 * place, repair=repair)
        for recipe in ("slimming", "random", "ista")
        for repair in ("cut", "full")
        for place, lam in enumerate(LAMBDAS)
        if (recipe, repair) != ("ista", "cut")
    ]
    table = comparisons(tables.cells(records, 1), MARGINS)
    assert table[["recipe", "other"]].drop_duplicates().values.tolist() == [
        ["slimming-cut", "random-cut"],
        ["slimming", "random"],
        ["slimming", "ista"],
        ["random", "ista"],
    ]


def test_only_cells_that_both_have_count_and_seeds_are_averaged():
    records = [
        record("vgg11", recipe, lam, seed, ws=WS[place], pk=0.6 + 0.05 * place + 0.1 * seed + (recipe == "ista"))
        for recipe in ("slimming", "ista")
        for place, lam in enumerate(LAMBDAS)
        for seed in (0, 1)
    ]
    records[0] |= {"knee": record(**no_knee())["knee"]}
    table = comparisons(tables.cells(records, 1), MARGINS)
    # The seed of slimming that has no knee takes its partner with it: every difference is 1.
    assert (table["n"].iloc[0], table["difference"].iloc[0]) == (6, pytest.approx(-1))
    assert table["difference_high"].iloc[0] == pytest.approx(-1)


def test_too_few_cells_leave_it_undecided_with_a_reason(tmp_path):
    records = [record("vgg11", recipe) for recipe in ("slimming", "ista", "random")]
    table = comparisons(tables.cells(records, 1), MARGINS)
    assert len(table) == 9 and set(table["verdict"]) == {"undecided"}
    assert table["reason"].iloc[0] == "needs 2 lambdas of a network, has 1"
    assert (table["reason"] != "").all()
    for each in (table, comparisons(tables.cells([], 1), MARGINS)):
        assert survives_its_file(each, COMPARISONS, tmp_path)
