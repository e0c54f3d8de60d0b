import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, SCENES, control, study
from drawn import saved, words
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.markers import MarkerStyle
from test_measures import made_up

from channel_sparsity.figures import alternatives as alternative_figures
from channel_sparsity.figures.style import network_marks
from channel_sparsity.measuring.knee import Rule
from channel_sparsity.naming import ALL
from channel_sparsity.tables import measures, outcomes, readings
from channel_sparsity.tables import study as tables

METRICS = {"status": "trained", "accuracy_per_scene": dict.fromkeys(SCENES), "clips_validation": 1000}
DOSES = ("cut", "statistics", "full")


@pytest.fixture(scope="module")
def compared():
    return measures.compare_measures(made_up("l_skewness", recipes=("slimming", "slimming-once", "ista")))


@pytest.fixture(scope="module")
def dosed():
    """outcomes.csv of four networks at three doses, with Slimming, one of them without its control."""
    networks = ("vgg11", "vgg13", "resnet11", "mobilenet0.25")
    records, _ = study(networks, ("slimming", "random"), seeds=(1, 2), repairs=DOSES)
    records = [each for each in records if (each["network"], each["criterion"]) != ("vgg13", "random")]
    cells = tables.cells(records, 0.03)
    keys = ["recipe", "network", "lam", "seed"]
    knees = {tuple(each[key] for key in keys): each["knee"] for each in records}
    measured = outcomes.outcomes_of(cells, [knees[tuple(row)] for row in cells[keys].itertuples(index=False)])
    return outcomes.compare_outcomes(measured, ["random"])


@pytest.fixture(scope="module")
def varied():
    records, curves = study(lambdas=LAMBDAS[:4])
    cells = tables.cells(records, 0.03)
    sparsity = cells[["network", "lam", "seed", "ws"]].drop_duplicates(["network", "lam", "seed"])
    sparsity = sparsity.assign(ws_absolute=sparsity["ws"] ** 2, ws_without_depthwise=sparsity["ws"])
    keys = ["recipe", "network", "lam", "seed"]
    found = {key: readings.knees(own, METRICS, control(0.91), Rule()) for key, own in curves.groupby(keys)}
    return readings.vary(cells, sparsity, found, "mine", ["slimming", "random"], Rule(), 0.03)


def points(axes):
    """Place, size and outline of every point, layer by layer."""
    return [
        (*place, round(size**0.5), path.vertices.tobytes())
        for layer in axes.collections
        if isinstance(layer, PathCollection)
        for place, size, path in zip(layer.get_offsets(), layer.get_sizes(), layer.get_paths(), strict=True)
    ]


def outline(network):
    marker = MarkerStyle(network_marks(network)["marker"])
    return marker.get_path().transformed(marker.get_transform()).vertices.tobytes()


def intervals(axes):
    """The ends of every interval."""
    lines = [layer for layer in axes.collections if isinstance(layer, LineCollection)]
    return [segment for layer in lines for segment in layer.get_segments()]


def test_repair_has_a_mark_for_each_mean_and_each_network_in_the_order_of_the_study(dosed):
    figure = alternative_figures.repair(dosed, "A note.")
    for axes, outcome, value in zip(figure.axes, ("pk", "mean_accuracy"), ("m", "gain"), strict=True):
        assert [tick.get_text() for tick in axes.get_xticklabels()] == list(DOSES)
        rows = dosed[(dosed["outcome"] == outcome) & dosed[value].notna()]
        # Random order has no gain, and neither has the network that it does not prune.
        assert len(rows) == len(DOSES) * {"m": 5 + 4, "gain": 4}[value]
        together, single = rows[rows["scope"] == ALL], rows[rows["scope"] != ALL]

        drawn = [(DOSES[round(x)], round(y, 6), size, shape) for x, y, size, shape in points(axes)]
        assert sorted((dose, y, shape) for dose, y, size, shape in drawn if size == 4) == sorted(
            (row["repair"], round(100 * row[value], 6), outline(row["scope"])) for row in single.to_dict("records")
        )
        assert sorted((dose, y) for dose, y, size, _ in drawn if size == 8) == sorted(
            (row["repair"], round(100 * row[value], 6)) for row in together.to_dict("records")
        )
        found = [(DOSES[round(low[0])], low[1], high[1]) for low, high in intervals(axes)]
        assert sorted(found) == [
            (dose, pytest.approx(100 * low), pytest.approx(100 * high))
            for dose, low, high in sorted(together[["repair", f"{value}_low", f"{value}_high"]].values.tolist())
        ]
    text = " ".join(words(figure).split())
    assert "slimming (Liu et al.)" in text and "random" in text and "A note." in text
    assert "At most: networks 4, seeds 2." in text


def test_measures_stand_in_rows_and_every_recipe_has_two_panels(compared):
    figure = alternative_figures.measures(compared, "A note.")
    pairs = zip(figure.axes[::2], figure.axes[1::2], strict=True)
    panels = dict(zip(("slimming", "slimming-once", "ista"), pairs, strict=True))
    titles = [r.get_title() for r, _ in panels.values()]
    assert titles == ["slimming (Liu et al.)", "slimming-once", "ista (Ye et al.)"]
    rows = compared[compared["scope"] == ALL].set_index(["recipe", "measure"])
    for recipe, (r, difference) in panels.items():
        assert [tick.get_text() for tick in r.get_yticklabels()] == list(measures.MEASURES.values())
        for axes, column in ((r, "r"), (difference, "difference")):
            known = rows.loc[recipe, column].dropna()
            drawn = {list(measures.MEASURES)[round(y)]: x for x, y, *_ in points(axes)}
            assert drawn == pytest.approx(known.to_dict()) and len(points(axes)) == len(known)
            ends = rows.loc[recipe][[f"{column}_low", f"{column}_high"]].dropna()
            assert sorted((low[0], high[0]) for low, high in intervals(axes)) == sorted(map(tuple, ends.to_numpy()))
        assert rows.loc[recipe, "difference"].notna().sum() == len(measures.MEASURES) - 1, "WS is its own reference"
        assert difference.get_title() == "n = 24 in 4 networks"
    assert "A note." in words(figure)


def test_a_recipe_none_of_whose_cells_counts_has_no_r(compared):
    none = compared.assign(recipe="ista", r=numpy.nan, n=0, networks=0)
    figure = alternative_figures.measures(pandas.concat([compared[compared["recipe"] == "slimming"], none]))
    assert [axes.get_title() for axes in figure.axes[1::2]] == ["n = 24 in 4 networks", "no r"]


def test_readings_stand_in_rows_and_those_of_other_recipes_last(varied):
    figure = alternative_figures.readings(varied, "A note.")
    assert [axes.get_title() for axes in figure.axes] == ["VGG", "", "ResNet", ""]
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert (rows[0], rows[-1]) == ("as configured", "recipe: random")
    assert set(rows) == set(varied["reading"]) and len(rows) == varied["reading"].nunique()
    own = varied[varied["network"] == "vgg11"]
    assert len(points(figure.axes[0])) == own["r"].notna().sum()
    for place, reading in enumerate(rows):
        row = own[own["reading"] == reading].squeeze()
        for axes, value in ((figure.axes[0], row["r"]), (figure.axes[1], 100 * row["m"])):
            assert [x for x, y, *_ in points(axes) if abs(y - place) < 0.5] == [pytest.approx(value)]
    assert "VGG-11 (n = 4" in words(figure) and "A note." in words(figure)
    assert {line.get_linewidth() for line in figure.legends[0].get_lines()} == {0}, "its intervals are all solid"


def test_nothing_to_draw_says_so(varied, dosed):
    for figure in (
        alternative_figures.repair(dosed.iloc[:0]),
        alternative_figures.repair(dosed.assign(m=numpy.nan)),
        alternative_figures.measures(measures.compare_measures(made_up(cells=1))),
        alternative_figures.readings(varied.iloc[:0]),
        alternative_figures.readings(varied.assign(r=None).astype({"r": float})),
    ):
        assert "too few cells" in words(figure)


def test_the_same_tables_give_the_same_bytes(compared, varied, dosed, tmp_path):
    def draw():
        return {
            "repair": alternative_figures.repair(dosed),
            "measures": alternative_figures.measures(compared),
            "readings": alternative_figures.readings(varied),
        }

    assert saved(draw(), tmp_path / "one") == saved(draw(), tmp_path / "two")


def test_every_family_and_variant_has_its_place(varied):
    more = varied[varied["network"] == "vgg11"].assign(network="vgg19")
    other = varied[varied["network"] == "vgg11"].assign(network="mobilenet0.50")
    figure = alternative_figures.readings(pandas.concat([varied, more, other]))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["VGG", "", "ResNet", "", "MobileNet", ""]
    assert len(points(figure.axes[0])) == 2 * len(points(figure.axes[4]))
