"""The figure of what accuracy costs, in bytes and in work."""

from collections.abc import Mapping

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.figures.style import empty, footnote, network_handle, network_labels, network_marks, style
from channel_sparsity.tables.front import CELL

#: The limits of DCASE's task on low-complexity classification, 2022 to 2025.
DCASE = {"parameter_bytes": 128_000, "macs_per_second": 30_000_000}

_INK = "0.15"

#: The panels: a cost, whether a step is on its front, its limit in the budget, its unit, and its name.
_PANELS = (
    ("int8_bytes", "on_front_bytes", "parameter_bytes", 1e3, "int8 parameters (kB)"),
    ("macs_per_second", "on_front_macs", "macs_per_second", 1e6, "MMACs per second of audio"),
)


def accuracy_cost(front: pandas.DataFrame, budget: Mapping, note: str = "") -> Figure:
    """Accuracy over the bytes of int8 parameters and over the MACs of a second, of every step of every curve.

    `front`: ``front.csv``. `budget`: its ``parameter_bytes`` and ``macs_per_second`` are drawn in. Steps of cells
    over the limit of lambda are hollow; a line joins the steps that no other beats; knees are ringed. `note` stands
    underneath.
    """
    with style():
        if front.empty:
            return empty("No network has been pruned yet.", note)
        names = network_labels(front)
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (cost, on_front, limit, unit, words) in zip(panels, _PANELS, strict=True):
            steps = front.assign(cost=front[cost] / unit, accuracy=100 * front["accuracy"])
            _steps(axes, steps)
            best = steps[steps[on_front]].sort_values(["cost", "accuracy"])
            # Behind the last of them nothing is better.
            costs, heights = [*best["cost"], steps["cost"].max()], [*best["accuracy"], best["accuracy"].max()]
            axes.plot(costs, heights, color=_INK, lw=1.2, drawstyle="steps-post", zorder=3)
            axes.axvline(budget[limit] / unit, color="#aa3377", lw=1.1, ls="--", zorder=1)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel(words)
        panels[0].set_ylabel("accuracy on validation clips (%)")
        figure.legend(handles=_legend(names, front, budget), loc="outside right upper")
        footnote(figure, f"n = {len(front)} steps of {len(front.drop_duplicates(CELL))} pruning curves.", note)
        return figure


def _steps(axes: Axes, front: pandas.DataFrame) -> None:
    """A mark for each step: the network's, hollow if its cell is over the limit, ringed at the knee.

    Not by seaborn, which writes every one of thousands of marks out: the SVG would be twice as long.
    """
    for (network, within), own in front.groupby(["network", "within_limit"], sort=False):
        marks = network_marks(network)
        points = {"ls": "", "marker": marks["marker"], "mec": marks["color"], "mew": 0.5}
        face = marks["color"] if within else "none"
        axes.plot(own["cost"], own["accuracy"], ms=3, mfc=face, alpha=0.55, zorder=2, **points)
        knees = own[own["at_knee"] & own["included"]]
        ring = points | {"mec": _INK, "mew": 0.9}
        axes.plot(knees["cost"], knees["accuracy"], ms=6, mfc=marks["color"], zorder=4, **ring)


def _legend(names: Mapping[str, str], front: pandas.DataFrame, budget: Mapping) -> list[Line2D]:
    """What the marks and lines stand for."""
    handles = [network_handle(network, words, ms=5, lw=0) for network, words in names.items()]
    if not front["within_limit"].all():
        handles.append(Line2D([], [], ls="", marker="o", mfc="none", mec="0.4", ms=4, label="lambda over its limit"))
    if (front["at_knee"] & front["included"]).any():
        handles.append(Line2D([], [], ls="", marker="o", mfc="0.6", mec=_INK, ms=6, label="at its knee"))
    limit = "limits of DCASE's task" if dict(budget) == DCASE else "the study's budget"
    return [
        *handles,
        Line2D([], [], color=_INK, lw=1.2, label="not beaten"),
        Line2D([], [], color="#aa3377", lw=1.1, ls="--", label=limit),
    ]
