"""The figure to explore: WS and PK of every cell; of a picked one its pruning curve, its knee and its widths.

Charts are written as Vega-Lite and compiled to Vega here, so that a wrong one fails here and not before its reader.
"""

import math
from collections.abc import Iterable, Mapping

import pandas
import vl_convert
from matplotlib.colors import to_hex

from channel_sparsity.claims.plan import CRITERION, REPAIR
from channel_sparsity.figures.paper import lines
from channel_sparsity.figures.style import AXIS_WORDS, network_labels, network_marks, recipe_label
from channel_sparsity.measuring.knee import AXES

#: Vega's names of the families' marks, and dashes of their lines.
_SHAPES = {"o": "circle", "^": "triangle-up", "s": "square", "D": "diamond", "v": "triangle-down"}
_DASHES = {"-": [1, 0], "--": [5, 3], ":": [1.5, 2.5], "-.": [6, 2, 1.5, 2]}

#: A grey with a contrast of 3 to white paper, as WCAG asks for graphics.
_GREY = "#949494"

_CONFIG = {
    "font": "system-ui, sans-serif",
    "background": None,
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "#e8e8e8",
        "labelColor": "#333",
        "titleColor": "#111",
        "domainColor": "#666",
        "tickColor": "#666",
    },
    # Axes and legends grow when the page's script gives the data: their room is measured anew each time.
    "autosize": {"type": "fit-x", "contains": "padding", "resize": True},
    "legend": {"labelFontSize": 12, "labelLimit": 240, "symbolStrokeWidth": 1.5},
    "view": {"stroke": None},
}


def runtime() -> str:
    """Vega's JavaScript, for a script element: it names one global, `vegaEmbed`."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def content(
    cells: pandas.DataFrame,
    regression: pandas.DataFrame,
    curves: Iterable[pandas.DataFrame],
    widths: Iterable[pandas.DataFrame],
) -> dict:
    """What the charts show, as JSON: cells, curves, lines, layers and widths at the knee, and the recipe shown first.

    Shares are in percent.

    `cells`, `regression`: the tables of that name. `curves` and `widths`: ``curve.csv`` and ``widths.csv`` of each row
    of `cells`, in its order.
    """
    names, axis = network_labels(cells), cells["axis"].iloc[0] if len(cells) else "channels"
    shown, traced, layers, kept = [], [], {}, []
    for cell, curve, width in zip(cells.to_dict("records"), curves, widths, strict=True):
        shown.append(_cell(cell, names))
        traced.append([_rounded(100 * curve[AXES[axis]]), _rounded(100 * curve["accuracy_loss"])])
        before, after = _widths(cell, curve, width, axis)
        layers.setdefault(names[cell["network"]], [list(before.index), before.tolist()])
        kept.append(after)
    return {
        "cells": shown,
        "curves": traced,
        "layers": layers,
        "widths": kept,
        "lines": [_end(row, names) for row in lines(cells, regression).to_dict("records")],
        "colours": {name: to_hex(network_marks(network)["color"]) for network, name in names.items()},
        "recipes": {recipe: recipe_label(recipe) for recipe in dict.fromkeys(cells["recipe"])},
        "recipe": _shown_first(cells),
    }


def _shown_first(cells: pandas.DataFrame) -> str | None:
    """The plan's recipe, else the study's first."""
    planned = cells[(cells["criterion"] == CRITERION) & (cells["repair"] == REPAIR)]
    return next(iter([*planned["recipe"], *cells["recipe"]]), None)


def _number(value: float | None, scale: float = 1, digits: int = 4) -> float | None:
    """A number for JSON; None if it is not known."""
    return None if value is None or pandas.isna(value) or math.isinf(value) else round(scale * value, digits)


def _rounded(column: pandas.Series) -> list[float | None]:
    return [_number(value, digits=2) for value in column]


def _cell(cell: Mapping, names: Mapping[str, str]) -> dict:
    """A cell as the scatter plot and the lines under it show it."""
    height = cell["knee_bound"] if pandas.isna(cell["pk"]) else cell["pk"]
    return {
        "network": names[cell["network"]],
        "recipe": cell["recipe"],
        "lam": cell["lam"],
        "seed": cell["seed"],
        "ws": _number(cell["ws"]),
        "height": _number(height, 100, 2),
        "pk": _number(cell["pk"], 100, 2),
        "low": _number(cell["pk_low"], 100, 2),
        "high": _number(cell["pk_high"], 100, 2),
        "loss": _number(cell["accuracy_loss_at_pk"], 100, 2),
        "accuracy": _number(cell["accuracy"], 100, 2),
        "compression": _number(cell["compression_rate"], 100, 2),
        "status": cell["knee_status"],
        "included": bool(cell["included"]),
        "reason": cell["reason"],
    }


def _widths(cell: Mapping, curve: pandas.DataFrame, widths: pandas.DataFrame, axis: str) -> tuple[pandas.Series, list]:
    """The channels of each layer before pruning, and at the step nearest to the knee (empty if there is none)."""
    layers = widths.set_index(["step", "layer"])["channels"].sort_index(level=0, sort_remaining=False)
    before = layers.loc[curve["step"].iloc[0]]
    if pandas.isna(cell["pk"]):
        return before, []
    step = curve.loc[(curve[AXES[axis]] - cell["pk"]).abs().idxmin(), "step"]
    return before, layers.loc[step].reindex(before.index).tolist()


def _end(row: Mapping, names: Mapping[str, str]) -> dict:
    """An end of the regression line of a network and recipe."""
    return {
        "network": names[row["network"]],
        "recipe": row["recipe"],
        "ws": _number(row["ws"]),
        "height": _number(row["height"], digits=2),
        "dash": _DASHES[network_marks(row["network"])["linestyle"]],
    }


def specifications(cells: pandas.DataFrame) -> dict[str, dict]:
    """The charts `scatter`, `curve` and `widths` as Vega; they take their data and `picked` from the page's script."""
    names = network_labels(cells)
    marks = {names[network]: network_marks(network) for network in names}
    axis = AXIS_WORDS[cells["axis"].iloc[0] if len(cells) else "channels"]
    charts = {"scatter": _scatter(marks, axis), "curve": _curve(axis), "widths": _layers()}
    return {name: vl_convert.vegalite_to_vega({**chart, "config": _CONFIG}) for name, chart in charts.items()}


def _quantity(field: str, title: str, **more: object) -> dict:
    """An encoding of a number on an axis that need not hold 0."""
    scale, axis = {"zero": False, "nice": True}, {"tickCount": 7}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis} | more


def _scatter(marks: Mapping[str, Mapping], axis: str) -> dict:
    """PK over WS: a mark each cell, hollow if excluded, with an arrow if censored, and the networks' lines."""
    domain = list(marks)
    colours = {"domain": domain, "range": [to_hex(mark["color"]) for mark in marks.values()]}
    network = {"field": "network", "type": "nominal"}
    legend = {"orient": "bottom", "columns": {"expr": "width < 420 ? 2 : 4"}, "title": None}
    shape = {"domain": domain, "range": [_SHAPES[mark["marker"]] for mark in marks.values()]}
    x = _quantity("ws", "Weight Skewness")
    y = _quantity("height", f"Prune Knee: {axis}")
    return {
        "description": "Prune Knee over Weight Skewness, a mark each network, lambda and seed",
        "width": "container",
        "height": 360,
        "params": [{"name": "picked", "value": -1}],
        "layer": [
            {
                "data": {"name": "lines"},
                "mark": {"type": "line", "strokeWidth": 1.5, "clip": True},
                "encoding": {
                    "x": x,
                    "y": y,
                    "stroke": network | {"scale": colours},
                    "strokeDash": {"field": "dash", "scale": None},
                },
            },
            {
                "data": {"name": "cells"},
                "transform": [{"filter": "datum.place === picked"}],
                "mark": {"type": "rule", "color": "#111", "strokeWidth": 1.5},
                "encoding": {"x": x, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            },
            {
                "data": {"name": "cells"},
                "transform": [{"filter": "datum.place === picked"}],
                "mark": {"type": "point", "shape": "circle", "size": 420, "color": "#111", "strokeWidth": 2},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"name": "cells"},
                "mark": {"type": "point", "size": 110, "strokeWidth": 1.8, "opacity": 1, "cursor": "pointer"},
                "encoding": {
                    "x": x,
                    "y": y,
                    "stroke": network | {"scale": colours, "legend": legend},
                    "shape": network | {"scale": shape, "legend": legend},
                    "fill": {
                        "condition": {"test": "datum.included"} | network | {"scale": colours, "legend": None},
                        "value": "#fff",
                    },
                    "tooltip": {"field": "words", "type": "nominal"},
                    "description": {"field": "words", "type": "nominal"},
                },
            },
            {
                "data": {"name": "cells"},
                "transform": [{"filter": "datum.status === 'censored'"}],
                "mark": {"type": "text", "text": "\N{UPWARDS ARROW}", "dy": -14, "fontSize": 16, "color": "#333"},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def _curve(axis: str) -> dict:
    """Accuracy loss over the share removed: the picked curve and its knee, before those of the same network in grey."""
    x = {"field": "x", "type": "quantitative", "title": axis, "scale": {"domain": [0, 100]}}
    y = {"field": "y", "type": "quantitative", "title": "accuracy loss (points)"}
    own = {"field": "colour", "type": "nominal", "scale": None}
    return {
        "description": "The pruning curve of the picked network, and its Prune Knee",
        "width": "container",
        "height": 260,
        "layer": [
            {
                "data": {"name": "others"},
                "mark": {"type": "line", "color": _GREY, "strokeWidth": 1},
                "encoding": {"x": x, "y": y, "detail": {"field": "place"}},
            },
            {
                "data": {"name": "own"},
                "mark": {"type": "line", "strokeWidth": 2.2, "point": {"size": 18}},
                "encoding": {"x": x, "y": y, "color": own, "tooltip": {"field": "words", "type": "nominal"}},
            },
            {
                "data": {"name": "knee"},
                "mark": {"type": "rule", "color": "#111", "strokeDash": [4, 3]},
                "encoding": {"x": x},
            },
            {
                "data": {"name": "knee"},
                "mark": {"type": "point", "filled": True, "size": 120, "color": "#111", "opacity": 1},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"name": "knee"},
                # On the side of the knee where there is room.
                "mark": {
                    "type": "text",
                    "align": {"expr": "datum.x < 50 ? 'left' : 'right'"},
                    "dx": {"expr": "datum.x < 50 ? 8 : -8"},
                    "dy": -8,
                    "fontSize": 12,
                    "color": "#111",
                },
                "encoding": {"x": x, "y": y, "text": {"field": "words"}},
            },
        ],
    }


def _layers() -> dict:
    """How many channels of each layer are left at the knee, on how many there were."""
    layer = {
        "field": "layer",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 0, "grid": False, "ticks": False},
        "scale": {"paddingInner": 0.25},
    }
    channels = {"type": "quantitative", "title": "channels"}
    tooltip = {"field": "words", "type": "nominal"}
    return {
        "description": "Channels of each layer of the picked network, before pruning and at its Prune Knee",
        "width": "container",
        "height": {"step": 15},
        "data": {"name": "layers"},
        "layer": [
            {
                "mark": {"type": "bar", "color": "#dcdcdc", "stroke": _GREY},
                "encoding": {"y": layer, "x": channels | {"field": "before"}, "tooltip": tooltip},
            },
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "y": layer,
                    "x": channels | {"field": "kept"},
                    "color": {"field": "colour", "type": "nominal", "scale": None},
                    "tooltip": tooltip,
                },
            },
        ],
    }
