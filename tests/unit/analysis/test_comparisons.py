import numpy
import pytest
from cells_for_tests import LAMBDAS, no_knee, record, survives_its_file
from scipy import stats

from channel_sparsity.analysis import tables
from channel_sparsity.analysis.comparisons import COMPARISONS, comparisons, equivalence

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


def test_networks_are_joined_with_intercepts_of_their_own():
    base = 0.6 + 0.05 * WS + NOISE
    table = compare(
        {
            ("vgg11", "slimming"): base,
            ("vgg11", "ista"): base + 0.02 + 0.1 * NOISE,
            ("resnet11", "slimming"): base - 0.3,
            ("resnet11", "ista"): base - 0.26 - 0.1 * NOISE,
            ("vgg13", "slimming"): base,
        }
    )
    assert list(dict.fromkeys(table.index.get_level_values("network"))) == ["vgg11", "resnet11", "all"]
    joined = table.loc[("all", "pk")]
    assert joined["difference"] == pytest.approx(-0.03) and joined["n"] == 12
    assert (joined["difference_low"], joined["verdict"]) == (pytest.approx(-0.03, abs=0.002), "equivalent")
    assert table.loc[("all", "m"), "verdict"] == "equivalent"
    assert table.loc[("all", "r"), "value"] == pytest.approx(numpy.corrcoef(WS, base)[0, 1])


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
