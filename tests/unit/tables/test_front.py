"""The table and the figure of what accuracy costs."""

import numpy
import pandas
import pytest
from cells_for_tests import record, survives_its_file
from hypothesis import given
from hypothesis import strategies as st

from channel_sparsity.figures.cost import DCASE, accuracy_cost
from channel_sparsity.figures.style import save
from channel_sparsity.tables.front import FRONT, front, unbeaten
from channel_sparsity.tables.study import cells

BUDGET = {"parameter_bytes": 900, "macs_per_second": 4000}


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.none() | st.integers(0, 5)),
        max_size=15,
    )
)
def test_the_front_is_what_no_point_beats(points):
    cost = pandas.Series([float(c) for c, _ in points], dtype=float)
    accuracy = pandas.Series([numpy.nan if a is None else float(a) for _, a in points], dtype=float)

    def beats(other, one):
        return other[1] is not None and other[0] <= one[0] and other[1] >= one[1] and other != one

    expected = [point[1] is not None and not any(beats(other, point) for other in points) for point in points]
    assert unbeaten(cost, accuracy).tolist() == expected


@pytest.fixture
def made():
    table = cells([record(lam="0", pk=0.2), record(lam="1e-3", accuracy=0.5)], 0.03)
    curve = pandas.DataFrame(
        {
            "step": [0, 1, 2],
            "channel_rate": [0.0, 0.2, 0.4],
            "parameter_rate": [0.0, 0.5, 0.7],
            "masked_rate": [0.0, 0.1, 0.2],
            "accuracy": [0.9, 0.95, 0.7],
            "parameters": [1000, 900, 300],
            "macs": [20000, 8000, 7000],
        }
    )
    names = {"network": "vgg16", "recipe": "slimming", "seed": 1}
    curves = pandas.concat([curve.assign(lam="1e-3", **names), curve.assign(lam="0", **names)])
    return front(curves, table, 2.0, BUDGET)


def test_every_step_has_its_cost_and_its_marks(made, tmp_path):
    assert made["lam"].tolist() == ["0"] * 3 + ["1e-3"] * 3, "in the order of the cells"
    assert made["int8_bytes"].tolist() == made["parameters"].tolist() == [1000, 900, 300] * 2
    assert made["macs_per_second"].tolist() == [10000, 4000, 3500] * 2
    assert made["at_knee"].tolist()[:3] == [False, True, False]
    assert made["within_budget"].tolist() == [False, True, True] * 2
    assert made["included"].tolist() == [True] * 3 + [False] * 3
    assert made["on_front_bytes"].tolist() == [False, True, True, False, False, False], (
        "cells over the limit are on none"
    )
    assert survives_its_file(made, FRONT, tmp_path)


def test_the_figure_draws_every_step_and_the_limits(made, tmp_path):
    figure = accuracy_cost(made, BUDGET, "A note.")
    for axes, limit in zip(figure.axes, (0.9, 0.004), strict=True):
        drawn = sum(len(line.get_xdata()) for line in axes.lines if line.get_markersize() == 3)
        assert drawn == len(made)
        assert any(list(line.get_xdata()) == [limit, limit] for line in axes.lines)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"VGG-16", "lambda over its limit", "at its knee", "the study's budget"} <= set(words)
    assert "limits of DCASE's task" in [t.get_text() for t in accuracy_cost(made, DCASE).legends[0].get_texts()]
    save(figure, tmp_path / "a.svg")
    save(accuracy_cost(made, BUDGET, "A note."), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_study_without_curves_says_so():
    figure = accuracy_cost(pandas.DataFrame(columns=list(FRONT)), BUDGET)
    assert [text.get_text() for text in figure.texts] == ["No network has been pruned yet."]
