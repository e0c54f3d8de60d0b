import copy
import json
import re

import pandas
import pytest
import vl_convert
from made_up_study import LAYERS

from channel_sparsity.figures.style import network_marks
from channel_sparsity.naming import NETWORKS
from channel_sparsity.report import charts


@pytest.fixture(scope="module")
def explored(made_up):
    explored = copy.deepcopy(made_up.values()["content"])
    table = explored["content"]["cells"]
    explored["content"]["cells"] = [dict(zip(table["names"], row, strict=True)) for row in table["rows"]]
    return explored


def test_cells_curves_and_widths_belong_together(made_up, explored):
    content = explored["content"]
    assert len(content["cells"]) == len(content["curves"]) == len(content["widths"]) == len(made_up.cells)
    for place, cell in enumerate(made_up.cells.to_dict("records")):
        shown = content["cells"][place]
        assert (shown["recipe"], shown["lam"], shown["included"]) == (cell["recipe"], cell["lam"], cell["included"])
        source = next(
            i for i, point in enumerate(made_up.grid) if all(point[k] == cell[k] for k in ("recipe", "network", "lam"))
        )
        curve = pandas.read_csv(made_up.curves[source])
        assert content["curves"][place][1] == pytest.approx((100 * curve["accuracy_loss"]).round(2).tolist())


def test_the_plans_recipe_is_shown_first_where_there_is_one(made_up, explored):
    assert explored["content"]["recipe"] == "slimming", "there is none: the study's first"
    cells = made_up.cells.assign(
        repair=made_up.cells["repair"].where(made_up.cells["recipe"] != "random", "statistics")
    )
    cells["criterion"] = cells["criterion"].where(cells["recipe"] != "random", "slimming")
    assert charts._shown_first(cells) == "random"
    assert charts._shown_first(cells.iloc[:0]) is None


def test_widths_are_those_of_the_step_nearest_to_the_knee(made_up, explored):
    content = explored["content"]
    for cell, kept in zip(content["cells"], content["widths"], strict=True):
        if cell["pk"] is None:
            assert kept == []
        else:
            step = round(cell["pk"] / 5)
            assert kept == [max(1, round(64 * (1 - step * 0.05)))] * LAYERS
    names, before = content["layers"]["VGG-11"]
    assert names == [f"stage{layer}.norm" for layer in range(LAYERS)] and before == [64] * LAYERS


def test_a_censored_cell_stands_at_its_bound_and_a_kneeless_one_nowhere(explored):
    by_status = {cell["status"]: cell for cell in explored["content"]["cells"]}
    assert (by_status["censored"]["height"], by_status["censored"]["pk"]) == (95.0, None)
    assert by_status["none"]["height"] is None


def test_lines_run_over_the_included_cells(made_up, explored):
    one, two = (
        each for each in explored["content"]["lines"] if each["network"] == "ResNet-11" and each["recipe"] == "slimming"
    )
    row = made_up.regression.query("network == 'resnet11' and recipe == 'slimming'").iloc[0]
    assert two["height"] - one["height"] == pytest.approx(100 * row["m"] * (two["ws"] - one["ws"]), abs=0.02)


def test_colours_and_shapes_are_those_of_the_figures(made_up, explored):
    scales = {scale["name"]: scale for scale in explored["charts"]["scatter"]["scales"]}
    assert scales["shape"]["range"] == ["circle", "triangle-up"]
    assert scales["stroke"]["range"] == list(explored["content"]["colours"].values())
    marks = [network_marks(network) for network in NETWORKS]
    assert {mark["marker"] for mark in marks} <= charts._SHAPES.keys()
    assert {mark["linestyle"] for mark in marks} <= charts._DASHES.keys()


@pytest.mark.parametrize(("knee", "anchor"), [(5, "start"), (95, "end")])
def test_the_words_at_a_knee_stand_where_there_is_room(explored, knee, anchor):
    chart = copy.deepcopy(explored["charts"]["curve"])
    (place,) = (data for data in chart["data"] if data["name"] == "knee")
    place["values"] = [{"x": knee, "y": 1, "words": "at the knee"}]
    assert re.search(r'text-anchor="(\w+)"[^>]*>at the knee', vl_convert.vega_to_svg(chart))[1] == anchor


def test_charts_are_compiled_to_the_same_bytes_and_load_nothing(made_up, explored):
    again = charts.specifications(made_up.cells)
    assert json.dumps(again) == json.dumps(explored["charts"])
    assert '"url"' not in json.dumps(again)


def test_numbers_that_json_has_not_are_left_out():
    assert [charts._number(value) for value in (float("nan"), float("inf"), None, 0.123456)] == [
        None,
        None,
        None,
        0.1235,
    ]
