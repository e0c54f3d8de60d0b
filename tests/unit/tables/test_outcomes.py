import itertools

import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, censored, failed, no_knee, record, study, survives_its_file
from scipy import stats
from statsmodels.api import OLS

from channel_sparsity.measuring.knee import CHECKS
from channel_sparsity.naming import ALL
from channel_sparsity.statistics.regression import sign
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.outcomes import (
    COLUMNS,
    CRITERIA,
    OUTCOMES,
    compare_criteria,
    compare_outcomes,
    outcomes_of,
    reliability,
)

WS = numpy.array([0.1, 0.5, 1.1, 1.8, 2.8, 3.4])
NETWORKS = ("vgg11", "resnet11", "mobilenet0.25", "vgg16", "resnet20", "mobilenet0.50")


def cells_of(value, criterion="slimming", networks=NETWORKS[:3], seeds=(1, 2), repair="statistics"):
    """Cells of one criterion as `outcomes_of` gives them; each outcome is `value` of network, place of lambda, seed."""
    keys = [(network, place, seed) for network in networks for place in range(len(WS)) for seed in seeds]
    values = [value(*key) for key in keys]
    frame = pandas.DataFrame(
        {
            "criterion": criterion,
            "repair": repair,
            "network": [network for network, _, _ in keys],
            "lam": [LAMBDAS[place] for _, place, _ in keys],
            "seed": [seed for _, _, seed in keys],
            "ws": [WS[place] + 0.01 * seed for _, place, seed in keys],
        }
    )
    losses = {f"loss_{name}": 0.03 for name in ("pk", *CHECKS)}
    return frame.assign(**dict.fromkeys(OUTCOMES, pandas.Series(values, dtype=float)), **losses)


def drawn(seed, slope=0.05, noise=0.02, common=0.0):
    """A value that grows with WS by `slope` in the mean; `common` is what every criterion shares in a cell."""
    own, shared = numpy.random.default_rng(seed), numpy.random.default_rng(99)
    slopes = {network: slope + own.normal(0, 0.02) for network in NETWORKS}
    heights = {network: shared.uniform(0.3, 0.6) for network in NETWORKS}
    wobble = {key: shared.normal() for key in itertools.product(NETWORKS, range(len(WS)), range(1, 4))}
    return lambda network, place, seed: (
        heights[network] + slopes[network] * WS[place] + common * wobble[network, place, seed] + own.normal(0, noise)
    )


def rows_of(*cells, controls=("random",)):
    """outcomes.csv, by criterion, repair, outcome and scope."""
    table = compare_outcomes(pandas.concat(cells, ignore_index=True), controls)
    return table.set_index(["criterion", "repair", "outcome", "scope"]).sort_index()


def slope_of(cells, column):
    """The slope of seed means on WS in one network, by numpy."""
    means = cells.groupby("lam")[["ws", column]].mean()
    return numpy.polyfit(means["ws"], means[column], 1)[0]


# What is measured


def test_every_outcome_is_taken_from_where_it_stands():
    checks = dict(zip(CHECKS, (0.51, 0.52, 0.53, None), strict=True))
    losses = dict(zip(CHECKS, (0.01, 0.02, 0.03, None), strict=True))
    one = record(pk=0.6, cross_checks=checks, cross_check_losses=losses, accuracy_loss=0.04)
    cells = tables.cells([one, record(lam="1e-6", ws=2.0)], 0.03)
    row = outcomes_of(cells, [one["knee"], record()["knee"]]).iloc[0]
    assert [row[name] for name in ("pk", "fixed_ends", "literal", "kneed")] == [0.6, 0.51, 0.52, 0.53]
    assert [row[f"loss_{name}"] for name in ("pk", "fixed_ends", "literal", "kneed")] == [0.04, 0.01, 0.02, 0.03]
    assert numpy.isnan(row["kneed_online"]) and numpy.isnan(row["loss_kneed_online"])
    assert row["share_kept"] == pytest.approx(0.8)
    assert (row["mean_accuracy"], row["rate_within_margin"]) == (
        cells["mean_accuracy"].iloc[0],
        cells["rate_within_margin"].iloc[0],
    )
    assert set(OUTCOMES) <= set(row.index)


def test_a_cell_without_a_knee_counts_and_one_over_the_limit_or_without_ws_does_not():
    records = [
        record(lam="0"),
        record(lam="1e-6", **no_knee()),
        record(lam="1e-5", **censored()),
        record(lam="5e-5") | {"sparsity": {"ws": None, "reason": "all gammas are 0"}},
        record(lam="1e-4", accuracy=0.5),
    ]
    frame = outcomes_of(tables.cells(records, 0.03), [each["knee"] for each in records])
    assert frame["lam"].tolist() == ["0", "1e-6", "1e-5"]
    assert frame["pk"].notna().tolist() == [True, False, False]
    assert frame["mean_accuracy"].notna().all()


def test_a_network_that_was_not_trained_does_not_count():
    records = [record(), record(lam="1e-6") | failed("no memory", "out_of_memory")]
    frame = outcomes_of(tables.cells(records, 0.03), [each["knee"] for each in records])
    assert frame["lam"].tolist() == ["0"]


# Slopes and gains


def test_the_gain_is_the_slope_of_the_outcome_less_the_controls():
    ours, random = cells_of(drawn(0)), cells_of(drawn(1, slope=0.02), "random")
    rows = rows_of(ours, random)
    found = {"gain": [], "m": [], "m_control": []}
    for network in NETWORKS[:3]:
        own, other = (each[each["network"] == network].reset_index(drop=True) for each in (ours, random))
        both = own.assign(gain=own["pk"] - other["pk"])
        row = rows.loc["slimming", "statistics", "pk", network]
        means = both.groupby("lam")[["ws", "pk", "gain"]].mean()
        fit = stats.linregress(means["ws"], means["gain"])
        assert row["gain"] == pytest.approx(fit.slope)
        interval = stats.t.interval(0.95, 4, fit.slope, fit.stderr)
        assert (row["gain_low"], row["gain_high"]) == pytest.approx(interval)
        assert row["m"] == pytest.approx(slope_of(own, "pk"))
        assert row["m_control"] == pytest.approx(slope_of(other, "pk"))
        assert row["gain"] == pytest.approx(row["m"] - row["m_control"])
        assert row["r"] == pytest.approx(means["ws"].corr(means["pk"]))
        assert (row["n"], row["networks"], row["seeds"]) == (6, 1, 2)
        for name, values in found.items():
            values.append(row[name])
    row = rows.loc["slimming", "statistics", "pk", ALL]
    for name, values in found.items():
        interval = stats.ttest_1samp(values, 0).confidence_interval()
        assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx((numpy.mean(values), *interval))
    assert (row["n"], row["networks"], row["seeds"]) == (18, 3, 2)
    assert numpy.isnan(row["r"]), "pooled over networks it would say what differs between them"
    assert row["verdict"] == sign(row["gain_low"], row["gain_high"])


def test_what_cells_have_in_common_with_the_control_is_no_noise_of_the_gain():
    rows = rows_of(cells_of(drawn(0, common=0.1, noise=0.001)), cells_of(drawn(0, common=0.1), "random"))
    for scope in NETWORKS[:3]:
        row = rows.loc["slimming", "statistics", "mean_accuracy", scope]
        assert row["gain_high"] - row["gain_low"] < 0.5 * (row["m_high"] - row["m_low"])
        assert row["gain_low"] < 0 < row["gain_high"], "both grow alike"


def test_a_gain_is_positive_negative_or_undecided_by_its_interval():
    for slope, verdict in ((0.25, "positive"), (-0.15, "negative"), (0.05, "undecided")):
        rows = rows_of(cells_of(drawn(2, slope)), cells_of(drawn(3, 0.05), "random"))
        assert rows.loc["slimming", "statistics", "mean_accuracy", ALL]["verdict"] == verdict


def test_an_outcome_that_never_changes_has_no_gain_and_no_verdict():
    rows = rows_of(cells_of(lambda *key: 0.5), cells_of(lambda *key: 0.5, "random"))
    row = rows.loc["slimming", "statistics", "rate_within_margin", "vgg11"]
    assert (row["gain"], row["gain_low"], row["gain_high"], row["verdict"]) == (0, 0, 0, "undecided")


def test_a_network_without_its_control_has_no_gain():
    ours = cells_of(drawn(4))
    random = cells_of(drawn(5, 0.01), "random", networks=NETWORKS[:2])
    rows = rows_of(ours, random).loc["slimming", "statistics", "pk"]
    lacking = rows.loc[NETWORKS[2]]
    assert lacking[["gain", "gain_low", "gain_high", "m_control"]].isna().all()
    assert lacking["verdict"] == "undecided"
    assert lacking["m"] == pytest.approx(slope_of(ours[ours["network"] == NETWORKS[2]], "pk"))
    gains = rows.loc[list(NETWORKS[:2]), "gain"]
    assert rows.loc[ALL, "gain"] == pytest.approx(gains.mean())
    assert rows.loc[ALL, "networks"] == 3


def test_of_all_networks_a_verdict_takes_three():
    cells = [(drawn(2, 0.25), "slimming"), (drawn(3, 0.05), "random")]
    for networks in (1, 2, 3):
        rows = rows_of(*(cells_of(value, criterion, networks=NETWORKS[:networks]) for value, criterion in cells))
        rows = rows.loc["slimming", "statistics", "pk"]
        assert rows.loc[ALL, "verdict"] == ("positive" if networks == 3 else "undecided")
        assert rows.loc["vgg11", "verdict"] == "positive", "this is about the one network"
        assert rows.loc[ALL, "gain"] == pytest.approx(rows.drop(ALL)["gain"].mean())
        assert (rows.loc[ALL, "reason"] == "an interval takes 3 networks") == (networks == 2)


def test_of_all_networks_a_verdict_takes_three_with_their_control():
    rows = rows_of(cells_of(drawn(2, 0.25)), cells_of(drawn(3, 0.05), "random", networks=NETWORKS[:1]))
    assert rows.loc["slimming", "statistics", "pk", ALL]["verdict"] == "undecided"


def test_without_any_control_there_are_slopes_and_no_gain():
    for table in (rows_of(cells_of(drawn(4))), rows_of(cells_of(drawn(4)), controls=())):
        assert table["m"].notna().all() and table["gain"].isna().all()
        assert set(table["verdict"]) == {"undecided"}


def test_a_cell_that_either_lacks_is_in_neither_slope_of_the_gain():
    ours, random = cells_of(drawn(6)), cells_of(drawn(7), "random")
    random.loc[(random["lam"] == LAMBDAS[5]) & (random["seed"] == 1), "pk"] = numpy.nan
    ours.loc[(ours["lam"] == LAMBDAS[0]) & (ours["seed"] == 2), "pk"] = numpy.nan
    row = rows_of(ours, random).loc["slimming", "statistics", "pk", "vgg11"]
    both = ours.assign(gain=ours["pk"] - random["pk"]).query("network == 'vgg11'").dropna(subset="gain")
    assert len(both) == 10 and row["gain"] == pytest.approx(slope_of(both, "gain"))
    # Its own slope has what it has.
    assert row["m"] == pytest.approx(slope_of(ours.query("network == 'vgg11'").dropna(subset="pk"), "pk"))
    assert row["known"] == pytest.approx(11 / 12)


def test_controls_have_no_gain_and_only_the_first_is_compared_with_at_the_same_repair():
    cells = [
        cells_of(drawn(10 * place + number), criterion, repair=repair)
        for place, repair in enumerate(("cut", "full"))
        for number, criterion in enumerate(("random-twice", "slimming", "random"))
    ]
    rows = rows_of(*cells, controls=("random", "random-twice"))
    for place, repair in enumerate(("cut", "full")):
        twice, ours, random = cells[3 * place : 3 * place + 3]
        assert rows.loc[("random", repair)]["gain"].isna().all()
        assert rows.loc[("random-twice", repair)]["gain"].isna().all()
        own = ours.assign(gain=ours["pk"] - random["pk"]).query("network == 'vgg11'")
        assert rows.loc["slimming", repair, "pk", "vgg11"]["gain"] == pytest.approx(slope_of(own, "gain"))
        assert rows.loc["random-twice", repair, "pk", "vgg11"]["m"] == pytest.approx(
            slope_of(twice.query("network == 'vgg11'"), "pk")
        )


def test_known_and_loss_are_of_cells_and_only_knees_have_a_loss():
    cells = cells_of(drawn(8), networks=NETWORKS[:1])
    cells["loss_kneed"] = numpy.linspace(0.01, 0.12, 12)
    cells.loc[:2, "kneed"] = numpy.nan
    rows = rows_of(cells).loc["slimming", "statistics"]
    assert rows.loc[("kneed", "vgg11"), "known"] == 0.75
    assert rows.loc[("kneed", "vgg11"), "loss"] == pytest.approx(cells["loss_kneed"][3:].mean())
    assert rows.loc[("pk", ALL), "loss"] == pytest.approx(0.03)
    losses = rows.xs(ALL, level="scope")["loss"]
    assert losses.isna().to_dict() == {name: name not in ("pk", *CHECKS) for name in OUTCOMES}


def test_too_few_lambdas_have_a_reason():
    cells = cells_of(drawn(9))
    row = rows_of(cells[cells["lam"].isin(LAMBDAS[:2])]).loc["slimming", "statistics", "pk", ALL]
    assert (row["networks"], row["n"], row["verdict"]) == (0, 6, "undecided")
    assert row["reason"] == "no network has three lambdas that count and differ in WS"
    never = rows_of(cells.assign(kneed=numpy.nan)).loc["slimming", "statistics", "kneed", ALL]
    assert (never["known"], never["seeds"], never["n"]) == (0, 0, 0) and never["reason"]


# Reliability


#: Six targets, four judges (Shrout & Fleiss 1979, Table 2): ICC(1, 1) is .17, between -.13 and .72 at 95 %.
SHROUT_AND_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def ratings(*networks):
    """Rows of cells; each network a list of lambdas, each a list of its seeds' values."""
    return pandas.DataFrame(
        [
            {"network": f"network {number}", "lam": f"{place}", "seed": seed, "value": value}
            for number, lambdas in enumerate(networks)
            for place, seeds in enumerate(lambdas)
            for seed, value in enumerate(seeds)
        ]
    )


def test_reliability_is_the_published_intraclass_correlation():
    found = reliability(ratings(SHROUT_AND_FLEISS), "value")
    assert (round(found.value, 2), round(found.low, 2), round(found.high, 2)) == (0.17, -0.13, 0.72)


def test_reliability_is_an_analysis_of_variance_of_lambdas_within_networks():
    rng = numpy.random.default_rng(12)
    cells = ratings(*(rng.normal(size=(5, 1)) + rng.normal(size=(5, 3)) + 10 * number for number in range(4)))
    cell = pandas.get_dummies(cells["network"] + "/" + cells["lam"], dtype=float)
    one = OLS(cells["value"], pandas.get_dummies(cells["network"], dtype=float)).fit()
    ratio, _, df_among = OLS(cells["value"], cell).fit().compare_f_test(one)
    assert df_among == 16
    bounds = [ratio / stats.f.ppf(0.975, 16, 40), ratio, ratio * stats.f.ppf(0.975, 40, 16)]
    expected = [(each - 1) / (each + 2) for each in bounds]
    found = reliability(cells, "value")
    assert (found.low, found.value, found.high) == pytest.approx(expected)


@pytest.mark.parametrize("true", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("seeds", [(3,), (2, 5)])
def test_reliability_is_the_share_of_variance_between_lambdas_whatever_networks_do(true, seeds):
    rng, runs, values, covered = numpy.random.default_rng(13), 300, [], 0
    for _ in range(runs):
        networks = [
            [
                5 * number + true**0.5 * rng.normal() + (1 - true) ** 0.5 * rng.normal(size=seeds[place % len(seeds)])
                for place in range(6)
            ]
            for number in range(3)
        ]
        found = reliability(ratings(*networks), "value")
        values.append(found.value)
        covered += found.low <= true <= found.high
    assert numpy.mean(values) == pytest.approx(true, abs=0.04)
    assert covered / runs >= 0.93


def test_what_has_no_second_seed_or_lambda_adds_nothing_to_reliability():
    rng = numpy.random.default_rng(14)
    lambdas = rng.normal(size=(4, 3)).tolist()
    plain = reliability(ratings(lambdas), "value")
    assert reliability(ratings([*lambdas, [7.0]], [[1.0, 2.0, 3.0]]), "value") == plain


def test_too_little_for_reliability_says_so():
    for cells in (ratings([[1.0], [2.0]]), ratings([[1.0, 2.0]]), ratings([[1.0], [2.0]]).iloc[:0]):
        assert reliability(cells, "value").value is None
        assert reliability(cells, "value").reason == "needs two seeds of two lambdas"
    alike = reliability(ratings([[1.0, 1.0], [2.0, 2.0]]), "value")
    assert (alike.value, alike.low, alike.reason) == (1.0, None, "seeds do not differ")
    assert reliability(ratings([[1.0, 1.0], [1.0, 1.0]]), "value").value is None


def test_the_reliability_of_each_outcome_and_scope_stands_in_the_table():
    cells = cells_of(drawn(15), seeds=(1, 2, 3))
    cells["literal"] = numpy.random.default_rng(0).normal(size=len(cells))
    rows = rows_of(cells).loc["slimming", "statistics"]
    for outcome in ("pk", "literal"):
        for scope, chosen in ((ALL, cells), ("vgg11", cells[cells["network"] == "vgg11"])):
            found = reliability(chosen, outcome)
            row = rows.loc[outcome, scope]
            assert (row["reliability"], row["reliability_low"], row["reliability_high"]) == pytest.approx(
                (found.value, found.low, found.high)
            )
    assert rows.loc[("pk", ALL), "reliability"] > 0.8 > 0.4 > rows.loc[("literal", ALL), "reliability"]


# Sparse networks, or a good criterion


def for_criteria(rates, repair="statistics", seeds=(1, 2, 3)):
    """Measured cells; `rates`: rate_within_margin by (network, criterion, lambda), to which a seed adds something."""
    rows = [
        {"network": network, "criterion": criterion, "lam": lam, "seed": seed, "repair": repair}
        | {"rate_within_margin": rate + (0.02 if criterion == "slimming" else 0.011) * seed * (-1) ** seed}
        for (network, criterion, lam), rate in rates.items()
        for seed in seeds
    ]
    return pandas.DataFrame(rows)


RATES = {
    ("vgg11", "slimming", "0"): 0.3,
    ("vgg11", "slimming", "1e-5"): 0.99,
    ("vgg11", "slimming", "1e-4"): 0.6,
    ("vgg11", "taylor", "0"): 0.5,
    ("vgg11", "taylor", "1e-4"): 0.01,
    ("resnet11", "slimming", "0"): 0.2,
    ("resnet11", "slimming", "1e-5"): 0.7,
    ("resnet11", "taylor", "0"): 0.4,
    ("mobilenet0.25", "slimming", "1e-4"): 0.5,
    ("mobilenet0.25", "taylor", "0"): 0.3,
}


def test_the_sparsest_networks_are_compared_with_dense_ones_seed_by_seed():
    cells = for_criteria(RATES)
    rows = compare_criteria(cells).set_index(["repair", "criterion", "scope"])
    assert set(rows.index.get_level_values("criterion")) == {"slimming", "taylor"}

    def rates(network, criterion, lam):
        chosen = cells[(cells["network"] == network) & (cells["criterion"] == criterion) & (cells["lam"] == lam)]
        return chosen["rate_within_margin"].to_numpy()

    # The largest lambda is 1e-4 of one network and 1e-5 of another, numbers and not words.
    differences = []
    for network, lam in (("vgg11", "1e-4"), ("resnet11", "1e-5"), ("mobilenet0.25", "1e-4")):
        row = rows.loc["statistics", "taylor", network]
        sparse, dense = rates(network, "slimming", lam), rates(network, "taylor", "0")
        interval = stats.ttest_rel(sparse, dense).confidence_interval()
        assert (row["sparse"], row["dense"]) == pytest.approx((sparse.mean(), dense.mean()))
        assert row["difference"] == pytest.approx((sparse - dense).mean())
        assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(interval))
        assert (row["networks"], row["seeds"]) == (1, 3)
        differences.append(row["difference"])
    row = rows.loc["statistics", "taylor", ALL]
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(tuple(interval))
    assert row["difference"] == pytest.approx(numpy.mean(differences))
    assert (row["networks"], row["seeds"]) == (3, 3)


def test_an_interval_over_networks_takes_three_of_them():
    two = {key: rate for key, rate in RATES.items() if key[0] != "mobilenet0.25"}
    rows = compare_criteria(for_criteria(two)).set_index(["criterion", "scope"])
    assert rows.loc[("taylor", ALL), "difference_low":"difference_high"].isna().all()
    assert rows.loc[("taylor", ALL), "verdict"] == "undecided"


@pytest.mark.parametrize(("dense", "verdict"), [(0.2, "positive"), (0.9, "negative"), (0.6, "undecided")])
def test_sparsity_is_worth_more_less_or_nothing_certain(dense, verdict):
    cells = for_criteria({("vgg11", "slimming", "1e-4"): 0.6, ("vgg11", "taylor", "0"): dense})
    table = compare_criteria(cells)
    assert table["verdict"].tolist() == [verdict if scope == "vgg11" else "undecided" for scope in table["scope"]]
    assert table["difference_low"].isna().tolist() == [True, False], "of all, which is one network, none"


def test_one_seed_of_one_network_settles_nothing():
    table = compare_criteria(for_criteria(RATES, seeds=(1,)))
    own = table[table["scope"] != ALL]
    assert own["difference"].notna().all() and own["difference_low"].isna().all()
    assert set(own["verdict"]) == {"undecided"}


def test_networks_are_compared_at_the_same_repair():
    cells = pandas.concat([for_criteria(RATES, "cut"), for_criteria({k: r / 2 for k, r in RATES.items()}, "full")])
    rows = compare_criteria(cells).set_index(["repair", "criterion", "scope"])
    assert rows.loc["cut", "taylor", "vgg11"]["dense"] == pytest.approx(0.5 + 0.011 * (-2 / 3))
    assert rows.loc["full", "taylor", "vgg11"]["dense"] == pytest.approx(0.25 + 0.011 * (-2 / 3))


def test_without_dense_networks_or_without_sparse_ones_there_is_no_row():
    dense, sparse = ({k: r for k, r in RATES.items() if (k[2] == "0") == wanted} for wanted in (True, False))
    assert compare_criteria(for_criteria(dense)).empty
    assert compare_criteria(for_criteria(sparse)).empty


def test_a_pair_of_which_one_has_no_rate_is_left_out():
    cells = for_criteria(RATES)
    broken = cells.copy()
    lost = (cells["network"] == "vgg11") & (cells["criterion"] == "taylor") & (cells["seed"] == 2)
    broken.loc[lost, "rate_within_margin"] = numpy.nan
    pandas.testing.assert_frame_equal(compare_criteria(broken), compare_criteria(cells[~lost]))


# The tables


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
def test_the_tables_survive_their_files(seeds, tmp_path):
    records, _ = study(repairs=("cut", "full"), seeds=seeds)
    records[0] |= failed()
    cells = tables.cells(records, 0.03)
    keys = ["recipe", "network", "lam", "seed"]
    knees = {tuple(each[key] for key in keys): each["knee"] for each in records}
    frame = outcomes_of(cells, [knees[tuple(row)] for row in cells[keys].itertuples(index=False)])
    table = compare_outcomes(frame, ["random"])
    assert len(table) == 2 * 2 * len(OUTCOMES) * 3
    assert survives_its_file(table, COLUMNS, tmp_path)
    assert survives_its_file(compare_criteria(frame), CRITERIA, tmp_path)
    none = compare_outcomes(frame.iloc[:0], ["random"]), compare_criteria(frame.iloc[:0])
    assert all(each.empty for each in none)


def test_in_a_study_where_sparse_networks_keep_more_the_slope_of_mean_accuracy_is_positive():
    records, _ = study(("vgg11", "resnet11", "mobilenet0.25"), ("slimming",), seeds=(1, 2))
    cells = tables.cells(records, 0.03)
    frame = outcomes_of(cells, [each["knee"] for each in sort(records)])
    row = compare_outcomes(frame, []).set_index(["outcome", "scope"]).loc["mean_accuracy", ALL]
    # A loss of .8 x^p has an area of .8 / (p + 1).
    expected = numpy.polyfit(range(4), [0.9 - 0.8 / (5 + 3 * place) for place in range(4)], 1)[0]
    assert row["m"] == pytest.approx(expected, abs=0.01) and row["m_low"] > 0
    assert row["reliability"] > 0.9


def sort(records):
    """Records in the order of their cells."""
    keys = tables.cells(records, 0.03)[["network", "lam", "seed"]].itertuples(index=False)
    by_key = {(each["network"], each["lam"], each["seed"]): each for each in records}
    return [by_key[tuple(key)] for key in keys]
