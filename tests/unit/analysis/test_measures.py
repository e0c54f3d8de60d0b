import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, no_knee, record, survives_its_file

from channel_sparsity.analysis import measures, tables
from channel_sparsity.analysis.knee import LOSSES
from channel_sparsity.analysis.labels import ALL
from channel_sparsity.analysis.sparsity import share_removed_by

NETWORKS = ("vgg11", "resnet11", "mobilenet0.25", "vgg16")


def made_up(follows="ws", networks=NETWORKS, recipes=("slimming",), cells=6, noise=0.002, shift=0.0, seed=0):
    """Levels in which PK follows one measure, the others being noise; networks differ by `shift` in WS and PK."""
    rng = numpy.random.default_rng(seed)
    rows = []
    for recipe in recipes:
        for place, network in enumerate(networks):
            for level in range(cells):
                row = {name: rng.uniform(0.1, 0.9) for name in measures.MEASURES}
                row |= {"recipe": recipe, "network": network, "lam": f"{level + 1}e-4", "lambda": (level + 1) * 1e-4}
                row["ws"] = rng.uniform(0, 3) + shift * place
                sign = -1 if measures.MEASURES[follows].falls else 1
                row["pk"] = 0.5 + 0.05 * sign * row[follows] + noise * rng.normal() - 0.1 * shift * place
                rows.append(row)
    return pandas.DataFrame(rows)


def rows_of(levels):
    """`compare_measures`, by scope, measure and form."""
    return measures.compare_measures(levels).set_index(["scope", "measure", "form"])


def test_levels_are_the_included_cells_averaged_over_seeds():
    records = [
        record(lam=lam, seed=seed, ws=1 + place, pk=0.6 + 0.1 * seed, accuracy=0.9 if place < 3 else 0.5)
        for place, lam in enumerate(LAMBDAS[:4])
        for seed in (1, 2)
    ]
    cells = tables.cells(records, 0.03)
    keys = cells[["network", "lam", "seed"]]
    sparsity = keys.assign(ws=cells["ws"], gini=0.1 * cells["seed"], layers=[[]] * len(keys))
    summed_up = cells[["recipe", "network", "lam", "seed"]].assign(share_kept=0.8, **dict.fromkeys(LOSSES, 0.4))
    levels = measures.levels(cells, sparsity, summed_up)
    assert list(levels["lam"]) == list(LAMBDAS[:3]), "the last is over the limit"
    assert levels["pk"].tolist() == pytest.approx([0.75] * 3)
    assert levels["gini"].tolist() == pytest.approx([0.15] * 3)
    assert levels["ws_two_points"].tolist() == pytest.approx([share_removed_by(ws) for ws in (1, 2, 3)])
    assert levels["lambda"].tolist() == [float(lam) for lam in LAMBDAS[:3]]


def test_levels_of_a_study_without_an_included_cell_are_none():
    cells = tables.cells([record(lam=lam, **no_knee()) for lam in LAMBDAS[:3]], 0.03)
    sparsity = cells[["network", "lam", "seed", "ws"]].assign(**dict.fromkeys(["gini", "share_near_zero"]))
    summed_up = cells[["recipe", "network", "lam", "seed"]].assign(share_kept=None, **dict.fromkeys(LOSSES))
    assert measures.compare_measures(measures.levels(cells, sparsity, summed_up)).empty


@pytest.mark.parametrize(("better", "noise"), [("gini", 1e-4), ("entropy", 1e-4), ("lambda", 1e-7)])
def test_a_measure_that_pk_follows_is_better_than_ws(better, noise):
    rows = rows_of(made_up(better, noise=noise))
    row = rows.loc[(ALL, better, "linear")]
    assert row["r"] > 0.98 and row["n"] == 24 and row["networks"] == 4
    assert row["verdict"] == "better" and row["difference_low"] > 0
    assert row["error_left_out"] < row["error_of_mean"]
    assert abs(row["ws_given_it"]) < 0.6
    assert rows.loc[(ALL, "ws", "linear"), "verdict"] == "reference"


def test_noise_is_worse_than_ws_where_pk_follows_ws_and_undecided_at_a_few_cells():
    assert rows_of(made_up()).loc[(ALL, "gini", "linear"), "verdict"] == "worse"
    few = rows_of(made_up(cells=3, networks=NETWORKS[:2], noise=0.1))
    assert (few.loc[ALL].drop(("ws", "linear"))["verdict"] == "undecided").all()


def test_a_verdict_allows_for_the_number_of_comparisons():
    rows = rows_of(made_up("gini", noise=0.03, cells=4)).loc[ALL]
    alone = (rows["difference_low"] > 0) | (rows["difference_high"] < 0)
    decided = rows["verdict"].isin(["better", "worse"])
    assert (decided <= alone).all()


def test_networks_that_differ_do_not_make_a_correlation():
    levels = made_up("gini", shift=5.0)  # WS rises and PK falls from network to network
    assert numpy.corrcoef(levels["ws"], levels["pk"])[0, 1] < -0.9
    assert abs(rows_of(levels).loc[(ALL, "ws", "linear"), "r"]) < 0.5


def test_forms():
    levels = made_up()
    levels["pk"] = 0.5 + 0.1 * numpy.log(levels["ws"])
    levels.loc[0, "share_near_zero"] = 0
    rows = rows_of(levels).loc[ALL]
    assert rows.loc[("ws", "log"), "r"] == pytest.approx(1)
    assert rows.loc[("ws", "log"), "verdict"] == "better"
    assert (rows.loc[("share_near_zero", "log"), "n"], rows.loc[("share_near_zero", "rank"), "n"]) == (23, 24)
    ranks = rows_of(levels).loc[("vgg11", "ws", "rank"), "r"]
    own = levels[levels["network"] == "vgg11"]
    assert ranks == pytest.approx(own["ws"].rank().corr(own["pk"]))


def test_a_measure_that_is_a_line_in_ws_is_the_same():
    levels = made_up(noise=0.05).assign(ws_absolute=lambda own: 2 * own["ws"] + 1)
    row = rows_of(levels).loc[(ALL, "ws_absolute", "linear")]
    assert (row["verdict"], row["difference"]) == ("same", 0)


def test_a_common_cause_leaves_nothing():
    levels = made_up(seed=1)
    rng = numpy.random.default_rng(5)
    levels["ws"] = levels["accuracy"] + rng.normal(0, 0.05, len(levels))
    levels["pk"] = levels["accuracy"] + rng.normal(0, 0.05, len(levels))
    row = rows_of(levels).loc[(ALL, "ws", "linear")]
    assert row["r"] > 0.85
    assert row["r_given_accuracy_low"] < 0 < row["r_given_accuracy_high"]


def test_a_share_is_a_guess_of_pk_as_it_is():
    levels = made_up()
    levels["pk"] = levels["share_near_zero"] - 0.1
    rows = rows_of(levels)["error_as_it_is"]
    assert rows.loc[(ALL, "share_near_zero", "linear")] == pytest.approx(0.1)
    assert numpy.isnan(rows.loc[(ALL, "gini", "linear")])


def test_across_networks_only_the_common_ws_counts():
    levels = made_up("gini", shift=0.5)
    ends = levels.groupby("network")["ws"].agg(["min", "max"])
    low, high = measures.common_range(levels)
    assert (low, high) == (ends["min"].max(), ends["max"].min())
    rows = rows_of(levels).loc[ALL]
    inside = levels[levels["ws"].between(low, high)]
    row = rows.loc[("gini", "linear")]
    assert (row["n_across"], row["networks_across"]) == (len(inside), 4)
    assert row["r_across"] == pytest.approx(inside["gini"].corr(inside["pk"]))

    def error(column, network):
        others, own = inside[inside["network"] != network], inside[inside["network"] == network]
        line = numpy.polyfit(others[column], others["pk"], 1)
        return ((own["pk"] - numpy.polyval(line, own[column])) ** 2).mean() ** 0.5

    gains = [error("ws", network) - error("gini", network) for network in NETWORKS]
    assert row["gain_across"] == pytest.approx(numpy.mean(gains))
    half = 3.182446 * numpy.std(gains, ddof=1) / 2  # Student's t at 3 degrees of freedom
    assert row["gain_across_high"] - row["gain_across"] == pytest.approx(half, rel=1e-5)


def test_networks_without_a_common_ws_stay_undecided():
    rows = rows_of(made_up(shift=10.0)).loc[ALL]
    assert measures.common_range(made_up(shift=10.0)) is None
    assert (rows["n_across"] == 0).all() and rows["r_across"].isna().all()
    assert set(rows["verdict_across"]) == {"reference", "undecided"}
    assert measures.common_range(made_up(networks=("vgg11",))) is None


@pytest.mark.parametrize("cells", [0, 1, 2, 3, 6])
def test_any_number_of_cells_makes_a_table_that_survives_its_file(cells, tmp_path):
    table = measures.compare_measures(made_up(cells=cells) if cells else made_up(cells=1).iloc[:0])
    if cells == 1:
        assert set(table["reason"]) == {"no network has two cells with this measure"}
    assert survives_its_file(table, measures.COLUMNS, tmp_path)


def test_a_measure_without_values_says_so():
    table = rows_of(made_up().assign(kurtosis=None))
    row = table.loc[(ALL, "kurtosis", "linear")]
    assert (row["n"], row["reason"]) == (0, "no network has two cells with this measure")


def test_table_1_of_the_paper_asks_the_same_question():
    from channel_sparsity.analysis.paper import TABLE_1

    levels = made_up(networks=("vgg16",)).assign(ws=[row.ws for row in TABLE_1])
    levels["ws_two_points"] = levels["ws"].map(share_removed_by)
    levels["accuracy"] = [row.accuracy for row in TABLE_1]
    for recipe, linear, log in (("slimming", 0.929, 0.98), ("ista", 0.955, 0.99)):
        levels["pk"] = [getattr(row, recipe).pk for row in TABLE_1]
        rows = rows_of(levels).loc[ALL]
        assert rows.loc[("ws", "linear"), "r"] == pytest.approx(linear, abs=0.001)
        assert rows.loc[("ws", "log"), "r"] == pytest.approx(log, abs=0.005)
        assert rows.loc[("ws", "log"), "verdict"] == "undecided", "six cells do not tell a line from a logarithm"
