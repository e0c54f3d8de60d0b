"""Figures beside the paper's: the dose of repair, other measures beside WS, other readings of the paper."""

import itertools
from collections.abc import Sequence

import pandas
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.claims.plan import OUTCOME
from channel_sparsity.figures.style import (
    draw,
    empty,
    footnote,
    network_handle,
    network_labels,
    network_marks,
    network_scales,
    recipe_label,
    style,
)
from channel_sparsity.naming import ALL, FAMILIES, family
from channel_sparsity.tables.measures import MEASURES
from channel_sparsity.tables.readings import AS_CONFIGURED, WORDS

#: How criteria are drawn: shapes and colours (Tol's, for colour-blind readers) that no family has. There is one colour
#: more than there are shapes, so that thirty criteria differ in one or the other.
_MARKERS, _COLOURS = "XP*dh", ("#332288", "#882255", "#999933", "#44aa99", "0.4", "#aa4499")

#: The panels of the figure `repair`: a column of ``outcomes.csv`` of some outcome, with its axis and its title.
_PANELS = (
    ("pk", "m", "slope of Prune Knee on WS (points)", "the paper's relation: PK"),
    (OUTCOME, "gain", "slope of accuracy kept on WS (points)", "accuracy kept, less random order"),
)


def repair(outcomes: pandas.DataFrame, note: str = "") -> Figure:
    """The slope of PK on WS at every dose of repair, and beside it the plan's primary outcome.

    `outcomes`: ``outcomes.csv``. Large marks are means over networks with their 95 % intervals, small ones single
    networks; doses stand in the order of the study. `note` stands underneath.
    """
    with style():
        if outcomes["m"].isna().all():
            return empty("No slope can be drawn yet: too few cells are included.", note)
        doses, criteria = list(dict.fromkeys(outcomes["repair"])), list(dict.fromkeys(outcomes["criterion"]))
        figure = Figure(figsize=(max(7.6, 3.4 + 1.7 * len(doses)), 4.2), layout="constrained")
        markers, colours = (dict(zip(criteria, itertools.cycle(each), strict=False)) for each in (_MARKERS, _COLOURS))
        shapes = {network: network_marks(network)["marker"] for network in outcomes["scope"].unique() if network != ALL}
        colour = so.Nominal(colours, order=criteria)
        scales = {"x": so.Nominal(order=doses), "color": colour, "marker": shapes | markers}
        for axes, (outcome, value, words, title) in zip(figure.subplots(1, 2), _PANELS, strict=True):
            axes.axhline(0, color="0.4", lw=0.9)
            rows = _percent(outcomes[outcomes["outcome"] == outcome], value)
            together, single = rows[rows["scope"] == ALL], rows[rows["scope"] != ALL]
            shown, apart = {"x": "repair", "y": value, "color": "criterion"}, so.Dodge(by=["color"])
            ends = {"ymin": f"{value}_low", "ymax": f"{value}_high"}
            layers = [
                (so.Path(linewidth=0.8, linestyle=":"), together, shown, apart),
                (so.Range(linewidth=1.2), together, shown | ends, apart),
                (so.Dot({"zorder": 3}, pointsize=4, fill=False), single, shown | {"marker": "scope"}, apart),
                (so.Dot({"zorder": 3}, pointsize=8), together, shown | {"marker": "criterion"}, apart),
            ]
            draw(axes, layers, scales, x="repair after each step", y=words, title=title)
        handles = [
            Line2D([], [], ls="", ms=8, marker=markers[name], color=colours[name], label=recipe_label(name))
            for name in criteria
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=min(4, len(handles)))
        networks, seeds = int(outcomes["networks"].max()), int(outcomes["seeds"].max())
        words = "Large marks: means over networks; lines: 95 % intervals over networks; small marks: single networks."
        footnote(figure, f"{words} At most: networks {networks}, seeds {seeds}.", note)
        return figure


def _percent(rows: pandas.DataFrame, value: str) -> pandas.DataFrame:
    """The rows with a column and its interval in percent, or in points."""
    names = [value, f"{value}_low", f"{value}_high"]
    return rows.assign(**100 * rows[names])


def measures(compared: pandas.DataFrame, note: str = "") -> Figure:
    """How closely each measure follows PK within networks, and by how much more than WS: dots with 95 % intervals.

    `compared`: ``measures.csv``. A row of panels for each recipe. `note` stands underneath.
    """
    with style():
        together = compared[compared["scope"] == ALL]
        if together["r"].isna().all():
            return empty("No measure can be compared yet: too few cells are included.", note)
        recipes = list(dict.fromkeys(together["recipe"]))
        figure = Figure(figsize=(8, 0.8 + 1.6 * len(recipes)), layout="constrained")
        grid = figure.subplots(len(recipes), 2, squeeze=False, sharey=True, sharex="col")
        for panels, recipe in zip(grid, recipes, strict=True):
            own = together[together["recipe"] == recipe].replace({"measure": MEASURES})
            labels = {"title": recipe_label(recipe), "x": "r with PK, within networks"}
            _estimates(panels[0], own, "r", "measure", list(MEASURES.values()), **labels)
            panels[0].set(xlim=(-1.05, 1.05), xticks=(-1, -0.5, 0, 0.5, 1))
            labels = {"title": _sizes(own), "x": "r less that of WS"}
            _estimates(panels[1], own, "difference", "measure", list(MEASURES.values()), **labels)
        footnote(figure, "Dots: estimates; lines: 95 % intervals, each for itself.", note)
        return figure


def _sizes(own: pandas.DataFrame) -> str:
    """How many cells and networks the rows of a recipe stand on."""
    networks = int(own["networks"].max())
    return _points(own) + (f" in {networks} network{'s' * (networks > 1)}" if networks else "")


def _points(rows: pandas.DataFrame) -> str:
    """On how many points the r of some rows stand: the fewest and the most."""
    counts = rows.loc[rows["r"].notna(), "n"]
    if counts.empty:
        return "no r"
    return f"n = {counts.min()}" + (f" to {counts.max()}" if counts.min() < counts.max() else "")


def _estimates(
    axes: Axes, rows: pandas.DataFrame, value: str, name: str, words: list[str], networks: Sequence[str] = (), **labels
) -> None:
    """Dots with intervals in rows, which the column `name` tells apart, with a band behind every other one."""
    for place in range(0, len(words), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.965", lw=0, zorder=0)
    axes.axvline(0, color="0.4", lw=0.9)
    shown = {"x": value, "y": name} | ({"color": "network", "marker": "network"} if networks else {})
    look, apart = {} if networks else {"color": "0.15"}, so.Dodge(by=["color"])
    layers = [
        (so.Range(linewidth=1.1, **look), rows, shown | {"xmin": f"{value}_low", "xmax": f"{value}_high"}, apart),
        (so.Dot({"zorder": 3}, pointsize=5, edgewidth=0, **look), rows, shown, apart),
    ]
    draw(axes, layers, network_scales(networks) | {"y": so.Nominal(order=words)}, **labels)
    axes.tick_params(axis="y", length=0)


def readings(table: pandas.DataFrame, note: str = "") -> Figure:
    """r and m of each network under every reading, one at a time.

    `table`: ``readings.csv``. Two columns of panels for each family, r and m, with a row for each reading.
    """
    with style():
        names = network_labels(table) if len(table) else {}
        if table["r"].isna().all():
            return empty("No correlation can be drawn under any reading yet: too few cells are included.", note)
        known = [words for choices in WORDS.values() for words in choices.values()]
        rows = [AS_CONFIGURED, *(words for words in known if words in set(table["reading"]))]
        rows += [words for words in dict.fromkeys(table["reading"]) if words not in rows]
        families = list(dict.fromkeys(family(network) for network in names))
        most = max(sum(family(network) == kind for network in names) for kind in families)
        size = (2.6 + 3.3 * len(families), 1.4 + (0.2 + 0.07 * most) * len(rows))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(1, 2 * len(families), squeeze=False, sharey=True)[0]
        for (one, other), kind in zip(grid.reshape(-1, 2), families, strict=True):
            networks = [network for network in names if family(network) == kind]
            own = _percent(table[table["network"].isin(networks)], "m")
            _estimates(one, own, "r", "reading", rows, networks, x="r", title=FAMILIES[kind].label)
            one.set(xlim=(-1.1, 1.1), xticks=(-1, 0, 1))
            _estimates(other, own, "m", "reading", rows, networks, x="m (points of PK per WS)")
            # Intervals may reach far beyond what there is to see.
            if own["m"].notna().any():
                low, high = min(0, own["m"].min()), max(0, own["m"].max())
                other.set_xlim(low - 0.6 * (high - low), high + 0.6 * (high - low))
        handles = [
            network_handle(network, f"{words} ({_points(table[table['network'] == network])})", ms=5, lw=0)
            for network, words in names.items()
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=min(len(handles), 4))
        remark = "Dots: estimates, one reading changed at a time; lines: 95 % intervals (of r from n = 4)."
        footnote(figure, remark, note)
        return figure
