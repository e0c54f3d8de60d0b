import numpy
import pandas
import pytest
from cells_for_tests import survives_its_file
from scipy import stats

from channel_sparsity.analysis import curve_summaries
from channel_sparsity.analysis.curve_summaries import CONTROL_COLUMNS, SUMMARIES, SUMMARY_COLUMNS
from channel_sparsity.analysis.labels import ALL


@pytest.fixture
def levels():
    """Two networks, two recipes and the control; PK follows WS by 0.1 and 0.02 more under the recipes."""
    rng = numpy.random.default_rng(0)
    rows = []
    for recipe, slope in (("slimming", 0.12), ("ista", 0.04), ("random", 0.02)):
        for network, base in (("vgg11", 0.6), ("resnet11", 0.2)):
            for place in range(5):
                ws = place + (0.1 if network == "vgg11" else 3.0)
                row = {"recipe": recipe, "network": network, "lam": f"{place}", "ws": ws}
                row |= {name: rng.uniform() for name in SUMMARIES}
                rows.append(row | {"pk": base + slope * ws + 0.001 * rng.normal(), "share_kept": 0.1 * ws})
    return pandas.DataFrame(rows)


def test_a_summary_that_follows_ws_stands_beside_pk(levels):
    levels["pk"] += numpy.random.default_rng(1).normal(0, 0.15, len(levels))
    table = curve_summaries.compare_summaries(levels).set_index(["recipe", "scope", "summary"])
    assert set(table.index.get_level_values("summary")) == set(SUMMARIES)
    kept, pk = table.loc[("slimming", ALL, "share_kept")], table.loc[("slimming", ALL, "pk")]
    assert (kept["r"], pk["verdict"]) == (pytest.approx(1), "reference")
    assert kept["difference"] == pytest.approx(1 - pk["r"])
    own = levels[(levels["recipe"] == "slimming") & (levels["network"] == "vgg11")]
    alone = table.loc[("slimming", "vgg11", "rate_at_1_point")]
    assert alone["r"] == pytest.approx(own["rate_at_1_point"].corr(own["ws"]))
    assert alone["r_with_pk"] == pytest.approx(own["rate_at_1_point"].corr(own["pk"]))


def test_the_slope_is_set_against_random_order(levels):
    table = curve_summaries.compare_with_random(levels, ["random"]).set_index(["recipe", "scope"])
    assert set(table.index.get_level_values("recipe")) == {"slimming", "ista"}
    assert table.loc[("slimming", ALL), "difference"] == pytest.approx(0.10, abs=0.002)
    assert table.loc[("ista", ALL), "difference"] == pytest.approx(0.02, abs=0.002)
    assert (table["verdict"] == "better").all() and (table["control"] == "random").all()
    pairs = levels[levels["network"] == "vgg11"].pivot(index="lam", columns="recipe")
    line = stats.linregress(pairs["ws"]["random"], pairs["pk"]["slimming"] - pairs["pk"]["random"])
    row = table.loc[("slimming", "vgg11")]
    assert row["difference"] == pytest.approx(line.slope)
    assert row["difference_high"] - row["difference"] == pytest.approx(stats.t.ppf(0.975, 3) * line.stderr)


def test_a_slope_that_random_order_has_too_is_undecided(levels):
    levels["pk"] = levels["ws"] * 0.1 + numpy.random.default_rng(2).normal(0, 0.02, len(levels))
    table = curve_summaries.compare_with_random(levels, ["random"])
    assert (table["verdict"] == "undecided").all()
    assert table["m_control"].tolist() == pytest.approx([0.1] * len(table), abs=0.03)


def test_without_cells_or_without_a_control_the_tables_are_empty_and_survive_their_files(levels, tmp_path):
    empty = levels.iloc[:0]
    for table, columns in (
        (curve_summaries.compare_summaries(empty), SUMMARY_COLUMNS),
        (curve_summaries.compare_with_random(empty, ["random"]), CONTROL_COLUMNS),
        (curve_summaries.compare_with_random(levels, []), CONTROL_COLUMNS),
    ):
        assert len(table) == 0
        assert survives_its_file(table, columns, tmp_path)
    one = levels[levels["lam"] == "0"]
    assert set(curve_summaries.compare_summaries(one)["reason"]) == {"no network has two cells"}
    assert set(curve_summaries.compare_with_random(one, ["random"])["verdict"]) == {"undecided"}
