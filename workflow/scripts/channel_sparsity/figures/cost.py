"""The figure of what accuracy costs, in bytes and in work."""

from collections.abc import Mapping

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.figures.style import empty, footnote, network_labels, network_marks, style

#: The limits of DCASE's task on low-complexity classification, 2022 to 2025.
DCASE = {"parameter_bytes": 128_000, "macs_per_second": 30_000_000}

_INK = "0.15"


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
        for axes, cost, unit, on_front, limit, words in (
            (panels[0], "int8_bytes", 1e3, "on_front_bytes", budget["parameter_bytes"], "int8 parameters (kB)"),
            (
                panels[1],
                "macs_per_second",
                1e6,
                "on_front_macs",
                budget["macs_per_second"],
                "MMACs per second of audio",
            ),
        ):
            _steps(axes, front.assign(cost=front[cost] / unit))
            best = front[front[on_front]].sort_values([cost, "accuracy"])
            # Behind the last of them nothing is better.
            costs = [*best[cost] / unit, front[cost].max() / unit]
            heights = [*100 * best["accuracy"], 100 * best["accuracy"].max()]
            axes.plot(costs, heights, color=_INK, lw=1.2, drawstyle="steps-post", zorder=3)
            axes.axvline(limit / unit, color="#aa3377", lw=1.1, ls="--", zorder=1)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel(words)
        panels[0].set_ylabel("accuracy on validation clips (%)")
        figure.legend(handles=_legend(names, front, budget), loc="outside right upper")
        footnote(figure, f"n = {len(front)} steps of {_curves(front)} pruning curves.", note)
        return figure


def _curves(front: pandas.DataFrame) -> int:
    """How many curves the steps belong to."""
    return len(front[["network", "recipe", "lam", "seed"]].drop_duplicates())


def _steps(axes: Axes, front: pandas.DataFrame) -> None:
    """A mark for each step: the network's, hollow if its cell is over the limit, ringed at the knee."""
    for (network, within), own in front.groupby(["network", "within_limit"], sort=False):
        marks = network_marks(network)
        points = {"ls": "", "marker": marks["marker"], "mec": marks["color"], "mew": 0.5}
        face = marks["color"] if within else "none"
        axes.plot(own["cost"], 100 * own["accuracy"], ms=3, mfc=face, alpha=0.55, zorder=2, **points)
        knees = own[own["at_knee"] & own["included"]]
        ring = points | {"mec": _INK, "mew": 0.9}
        axes.plot(knees["cost"], 100 * knees["accuracy"], ms=6, mfc=marks["color"], zorder=4, **ring)


def _legend(names: Mapping[str, str], front: pandas.DataFrame, budget: Mapping) -> list[Line2D]:
    """What the marks and lines stand for."""
    handles = []
    for network, words in names.items():
        marks = network_marks(network) | {"linestyle": ""}
        handles.append(Line2D([], [], ms=5, label=words, **marks))
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
