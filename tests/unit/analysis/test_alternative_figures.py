import hashlib

import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, control, study
from test_measures import made_up

from channel_sparsity.analysis import alternative_figures, measures, readings, tables
from channel_sparsity.analysis.knee import Rule
from channel_sparsity.analysis.plotting import save

METRICS = {"status": "trained", "accuracy_per_scene": dict.fromkeys("abcdefghij"), "clips_validation": 1000}


@pytest.fixture(scope="module")
def compared():
    return measures.compare_measures(made_up("gini", recipes=("slimming", "slimming-once", "ista")))


@pytest.fixture(scope="module")
def varied():
    records, curves = study(lambdas=LAMBDAS[:4])
    cells = tables.cells(records, 0.03)
    sparsity = cells[["network", "lam", "seed", "ws"]].drop_duplicates(["network", "lam", "seed"])
    sparsity = sparsity.assign(ws_absolute=sparsity["ws"] ** 2, ws_without_depthwise=sparsity["ws"])
    keys = ["recipe", "network", "lam", "seed"]
    found = {key: readings.knees(own, METRICS, control(0.91), Rule()) for key, own in curves.groupby(keys)}
    return readings.vary(cells, sparsity, found, "mine", ["slimming", "random"], Rule(), 0.03)


def words(figure):
    """Every text of a figure."""
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return "\n".join(texts)


def dots(axes):
    return [line for line in axes.lines if len(line.get_xdata()) == 1 and numpy.isfinite(line.get_xdata()[0])]


def test_measures_stand_in_rows_a_dot_a_form(compared):
    figure = alternative_figures.measures(compared, "A note.")
    assert len(figure.axes) == 2 * 3, "the paper's two methods"
    r, difference, error = figure.axes[:3]
    assert [tick.get_text() for tick in r.get_yticklabels()] == [each.words for each in measures.MEASURES.values()]
    assert len(dots(r)) == len(dots(error)) == 3 * len(measures.MEASURES)
    assert len(dots(difference)) == len(dots(r)) - 1, "WS is not compared with itself"
    gini = compared.query(
        "recipe == 'slimming' and scope == 'all' and measure == 'gini' and form == 'linear'"
    ).squeeze()
    assert any(line.get_xdata()[0] == pytest.approx(gini["r"]) for line in dots(r))
    assert difference.get_title() == "n = 24 in 4 networks"
    assert "slimming (Liu et al.)" in words(figure) and "A note." in words(figure)


def test_measures_of_a_study_with_other_recipes_are_of_its_first():
    figure = alternative_figures.measures(measures.compare_measures(made_up(recipes=("mine", "other"))))
    assert len(figure.axes) == 3
    assert figure.axes[0].get_title() == "mine"


def test_readings_stand_in_rows_and_last_all_of_them(varied):
    figure = alternative_figures.readings(varied, "A note.")
    assert [axes.get_title() for axes in figure.axes] == ["VGG", "", "ResNet", ""]
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert (rows[0], rows[-2], rows[-1]) == ("as configured", "recipe: random", "all combinations")
    own = varied[varied["network"] == "vgg11"]
    single = own[(own["reading"] != readings.SEVERAL) & own["r"].notna()]
    assert len(dots(figure.axes[0])) == len(single) + 1, "and the median over all"
    medians = [line.get_xdata()[0] for line in dots(figure.axes[0]) if line.get_marker() == "|"]
    assert medians == [pytest.approx(own["r"].median())]
    configured = own[own["reading"] == readings.AS_CONFIGURED].iloc[0]
    slope = next(line for line in dots(figure.axes[1]) if line.get_ydata()[0] == 0)
    assert slope.get_xdata()[0] == pytest.approx(100 * configured["m"])
    assert "VGG-11 (n = 4" in words(figure) and f"over {len(own)} combinations" in words(figure)


def test_nothing_to_draw_says_so(varied):
    for figure in (
        alternative_figures.measures(measures.compare_measures(made_up(cells=1))),
        alternative_figures.readings(varied.iloc[:0]),
        alternative_figures.readings(varied.assign(r=None).astype({"r": float})),
    ):
        assert "too few cells" in words(figure)


def test_the_same_tables_give_the_same_bytes(compared, varied, tmp_path):
    sums = []
    for attempt in ("one", "two"):
        for name, figure in (
            ("measures", alternative_figures.measures(compared)),
            ("readings", alternative_figures.readings(varied)),
        ):
            for suffix in ("svg", "png"):
                save(figure, tmp_path / attempt / f"{name}.{suffix}")
        files = sorted((tmp_path / attempt).iterdir())
        sums.append([(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files])
    assert sums[0] == sums[1] and len(sums[0]) == 4


def test_every_family_and_variant_has_its_place(varied):
    more = varied[varied["network"] == "vgg11"].assign(network="vgg19")
    other = varied[varied["network"] == "vgg11"].assign(network="mobilenet0.50")
    figure = alternative_figures.readings(pandas.concat([varied, more, other]))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["VGG", "", "ResNet", "", "MobileNet", ""]
    assert len(dots(figure.axes[0])) == 2 * len(dots(figure.axes[4]))
