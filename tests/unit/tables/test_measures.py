import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, no_knee, record, survives_its_file

from channel_sparsity.claims.paper import TABLE_1
from channel_sparsity.naming import ALL
from channel_sparsity.statistics.within import Within
from channel_sparsity.tables import measures
from channel_sparsity.tables import study as tables

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
                row["pk"] = 0.5 + 0.05 * row[follows] + noise * rng.normal() - 0.1 * shift * place
                rows.append(row)
    return pandas.DataFrame(rows)


def rows_of(levels):
    """`compare_measures`, by scope and measure."""
    return measures.compare_measures(levels).set_index(["scope", "measure"])


def test_levels_are_the_included_cells_averaged_over_seeds():
    records = [
        record(lam=lam, seed=seed, ws=1 + place, pk=0.6 + 0.1 * seed, accuracy=0.9 if place < 3 else 0.5)
        for place, lam in enumerate(LAMBDAS[:4])
        for seed in (1, 2)
    ]
    cells = tables.cells(records, 0.03)
    keys = cells[["network", "lam", "seed"]]
    sparsity = keys.assign(ws=cells["ws"], l_skewness=0.1 * cells["seed"], share_near_zero=0.4, layers=[[]] * len(keys))
    levels = measures.levels(cells, sparsity)
    assert list(levels["lam"]) == list(LAMBDAS[:3]), "the last is over the limit"
    assert levels["pk"].tolist() == pytest.approx([0.75] * 3)
    assert levels["l_skewness"].tolist() == pytest.approx([0.15] * 3)
    assert levels["ws"].tolist() == [1, 2, 3] and levels["accuracy"].tolist() == pytest.approx([0.9] * 3)
    assert levels["lambda"].tolist() == [float(lam) for lam in LAMBDAS[:3]]


def test_levels_of_a_study_without_an_included_cell_are_none():
    cells = tables.cells([record(lam=lam, **no_knee()) for lam in LAMBDAS[:3]], 0.03)
    sparsity = cells[["network", "lam", "seed", "ws"]].assign(**dict.fromkeys(["l_skewness", "share_near_zero"]))
    assert measures.compare_measures(measures.levels(cells, sparsity)).empty


@pytest.mark.parametrize(("better", "noise"), [("l_skewness", 1e-4), ("share_near_zero", 1e-4), ("lambda", 1e-7)])
def test_a_measure_that_pk_follows_is_better_than_ws(better, noise):
    rows = rows_of(made_up(better, noise=noise))
    row = rows.loc[(ALL, better)]
    assert row["r"] > 0.98 and row["n"] == 24 and row["networks"] == 4
    assert row["verdict"] == "better" and row["difference_low"] > 0
    assert row["difference"] == pytest.approx(row["r"] - rows.loc[(ALL, "ws"), "r"])
    assert rows.loc[(ALL, "ws"), "verdict"] == "reference"


def test_each_recipe_scope_and_measure_has_one_row():
    table = measures.compare_measures(made_up(recipes=("slimming", "ista")))
    assert list(dict.fromkeys(table["scope"])) == [ALL, *NETWORKS]
    assert len(table) == 2 * (1 + len(NETWORKS)) * len(measures.MEASURES)
    assert not table.duplicated(["recipe", "scope", "measure"]).any()


def test_noise_is_worse_than_ws_where_pk_follows_ws_and_undecided_at_a_few_cells():
    assert rows_of(made_up()).loc[(ALL, "l_skewness"), "verdict"] == "worse"
    few = rows_of(made_up(cells=3, networks=NETWORKS[:2], noise=0.1))
    assert (few.loc[ALL].drop("ws")["verdict"] == "undecided").all()


def test_a_verdict_allows_for_four_comparisons_with_ws():
    singly = together = 0
    for seed in range(40):
        levels = made_up("l_skewness", noise=0.015, cells=4, seed=seed)
        rows, within = rows_of(levels).loc[ALL], Within(levels["pk"], levels["network"])
        for name in ("l_skewness", "share_near_zero", "lambda", "accuracy"):
            verdict = within.verdict(levels[name], levels["ws"], 4)
            assert rows.loc[name, "verdict"] == verdict
            apart = rows.loc[name, "difference_low"] > 0 or rows.loc[name, "difference_high"] < 0
            assert apart or verdict == "undecided"
            together += verdict != "undecided"
            singly += within.verdict(levels[name], levels["ws"], 1) != "undecided"
    assert 0 < together < singly


def test_networks_that_differ_do_not_make_a_correlation():
    levels = made_up("l_skewness", shift=5.0)  # WS rises and PK falls from network to network
    assert numpy.corrcoef(levels["ws"], levels["pk"])[0, 1] < -0.9
    assert abs(rows_of(levels).loc[(ALL, "ws"), "r"]) < 0.5


def test_r_is_that_within_networks():
    levels = made_up(noise=0.05)
    rows = rows_of(levels)
    own = levels[levels["network"] == "vgg11"]
    assert rows.loc[("vgg11", "accuracy"), "r"] == pytest.approx(own["accuracy"].corr(own["pk"]))
    centred = levels[["accuracy", "pk"]] - levels.groupby("network")[["accuracy", "pk"]].transform("mean")
    assert rows.loc[(ALL, "accuracy"), "r"] == pytest.approx(centred["accuracy"].corr(centred["pk"]))


def test_a_measure_that_is_a_line_in_ws_is_the_same():
    levels = made_up(noise=0.05).assign(l_skewness=lambda own: 2 * own["ws"] + 1)
    row = rows_of(levels).loc[(ALL, "l_skewness")]
    assert (row["verdict"], row["difference"]) == ("same", 0)


@pytest.mark.parametrize("cells", [0, 1, 2, 3, 6])
def test_any_number_of_cells_makes_a_table_that_survives_its_file(cells, tmp_path):
    table = measures.compare_measures(made_up(cells=cells) if cells else made_up(cells=1).iloc[:0])
    assert cells != 1 or table["r"].isna().all()
    assert survives_its_file(table, measures.COLUMNS, tmp_path)


def test_a_measure_without_values_has_no_r():
    row = rows_of(made_up().assign(share_near_zero=None)).loc[(ALL, "share_near_zero")]
    assert (row["n"], row["networks"], row["verdict"]) == (0, 0, "undecided")
    assert numpy.isnan(row["r"])


def test_a_row_without_r_says_why():
    table = measures.compare_measures(pandas.concat([made_up(cells=1), made_up(networks=NETWORKS[:1], cells=2)]))
    assert ((table["reason"] != "") | table["r"].notna()).all()


def test_table_1_of_the_paper_asks_the_same_question():
    levels = made_up(networks=("vgg16",)).assign(ws=[row.ws for row in TABLE_1])
    levels["accuracy"] = [row.accuracy for row in TABLE_1]
    for recipe, r, of_accuracy in (("slimming", 0.929, 0.755), ("ista", 0.955, 0.745)):
        levels["pk"] = [getattr(row, recipe).pk for row in TABLE_1]
        rows = rows_of(levels).loc[ALL]
        assert rows.loc["ws", "r"] == pytest.approx(r, abs=0.001)
        assert rows.loc["accuracy", "r"] == pytest.approx(of_accuracy, abs=0.001)
        assert rows.loc["accuracy", "verdict"] == "undecided", "six cells do not tell these two apart"
