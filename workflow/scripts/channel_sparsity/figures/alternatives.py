"""Figures beside the paper's: the dose of repair, other measures beside WS, other readings of the paper."""

from collections.abc import Mapping

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.claims.plan import OUTCOME
from channel_sparsity.figures.style import empty, footnote, network_labels, network_marks, recipe_label, style
from channel_sparsity.naming import ALL, FAMILIES, family
from channel_sparsity.tables.measures import MEASURES
from channel_sparsity.tables.readings import AS_CONFIGURED, WORDS

#: How criteria are drawn: shapes and colours (Tol's, for colour-blind readers) that no family has.
_CRITERION_MARKS = (("X", "#332288"), ("P", "#882255"), ("*", "#999933"), ("d", "#44aa99"), ("h", "0.4"))

#: How the marks of measures are drawn.
_MARKS = {"marker": "X", "color": "0.15", "ms": 6, "lw": 1.2}


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
        for axes, (outcome, value, words, title) in zip(figure.subplots(1, 2), _PANELS, strict=True):
            axes.axhline(0, color="0.4", lw=0.9)
            for place, criterion in enumerate(criteria):
                rows = outcomes[(outcomes["outcome"] == outcome) & (outcomes["criterion"] == criterion)]
                offset = 0.6 * ((place + 0.5) / len(criteria) - 0.5)
                _doses(axes, rows, value, {dose: at + offset for at, dose in enumerate(doses)}, place)
            axes.set_xticks(range(len(doses)), doses)
            axes.set(xlim=(-0.5, len(doses) - 0.5), xlabel="repair after each step", ylabel=words, title=title)
            axes.grid(axis="x", visible=False)
        marks = [_CRITERION_MARKS[place % len(_CRITERION_MARKS)] for place in range(len(criteria))]
        handles = [
            Line2D([], [], ls="", ms=8, marker=marker, color=colour, label=recipe_label(criterion))
            for criterion, (marker, colour) in zip(criteria, marks, strict=True)
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=min(4, len(handles)))
        networks, seeds = int(outcomes["networks"].max()), int(outcomes["seeds"].max())
        words = f"Large marks: means of up to {networks} networks; lines: 95 % intervals over networks"
        footnote(figure, f"{words}; small marks: single networks, of {seeds} seed{'s' * (seeds > 1)}.", note)
        return figure


def _doses(axes: Axes, rows: pandas.DataFrame, value: str, places: Mapping[str, float], number: int) -> None:
    """One criterion at every dose: the mean over networks with its interval, and the networks."""
    marker, colour = _CRITERION_MARKS[number % len(_CRITERION_MARKS)]
    together = rows[rows["scope"] == ALL]
    axes.plot(together["repair"].map(places), 100 * together[value], color=colour, lw=0.8, ls=":")
    for row in rows.to_dict("records"):
        place, height = places[row["repair"]], 100 * row[value]
        if row["scope"] == ALL:
            axes.plot([place] * 2, [100 * row[f"{value}_low"], 100 * row[f"{value}_high"]], color=colour, lw=1.2)
            axes.plot(place, height, ls="", marker=marker, ms=8, color=colour)
        else:
            axes.plot(
                place, height, ls="", marker=network_marks(row["scope"])["marker"], ms=4, mfc="none", color=colour
            )


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
            own = together[together["recipe"] == recipe]
            _rows_of(panels, list(MEASURES.values()))
            for row in own.itertuples():
                height = list(MEASURES).index(row.measure)
                _dot(panels[0], row.r, row.r_low, row.r_high, height, _MARKS)
                _dot(panels[1], row.difference, row.difference_low, row.difference_high, height, _MARKS)
            for panel in panels:
                panel.axvline(0, color="0.4", lw=0.9)
            panels[0].set(xlim=(-1.05, 1.05), xticks=(-1, -0.5, 0, 0.5, 1), title=recipe_label(recipe))
            panels[1].set(title=_sizes(own))
        grid[-1][0].set_xlabel("r with PK, within networks")
        grid[-1][1].set_xlabel("r less that of WS")
        footnote(figure, "Dots: estimates; lines: 95 % intervals, each for itself.", note)
        return figure


def _sizes(own: pandas.DataFrame) -> str:
    """How many cells and networks the rows of a recipe stand on."""
    counts = own.loc[own["r"].notna(), "n"]
    networks = int(own["networks"].max())
    return f"n = {_range(counts)} in {networks} network{'s' * (networks > 1)}"


def _range(counts: pandas.Series) -> str:
    """The fewest and the most, in words."""
    return f"{counts.min()}" + (f" to {counts.max()}" if counts.min() < counts.max() else "")


def _rows_of(panels: numpy.ndarray, words: list[str]) -> None:
    """Name the rows that panels share, from the top down, with a band behind every other one."""
    for panel in panels:
        panel.set_ylim(len(words) - 0.5, -0.5)
        panel.set_yticks(range(len(words)), words)
        panel.tick_params(axis="y", length=0)
        panel.grid(axis="y", visible=False)
        for place in range(0, len(words), 2):
            panel.axhspan(place - 0.5, place + 0.5, color="0.965", lw=0, zorder=0)


def _dot(axes: Axes, value: float, low: float, high: float, height: float, marks: dict) -> None:
    """An estimate with its interval, where it has one."""
    if numpy.isfinite(low) and numpy.isfinite(high):
        axes.plot([low, high], [height, height], color=marks["color"], lw=marks["lw"], solid_capstyle="butt")
    axes.plot(value, height, ls="", marker=marks["marker"], color=marks["color"], ms=marks["ms"])


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
        figure = Figure(
            figsize=(2.6 + 3.3 * len(families), 1.4 + (0.2 + 0.07 * most) * len(rows)), layout="constrained"
        )
        grid = figure.subplots(1, 2 * len(families), squeeze=False, sharey=True)[0]
        _rows_of(grid, rows)
        for place, kind in enumerate(families):
            networks = [network for network in names if family(network) == kind]
            for axes, value, scale in ((grid[2 * place], "r", 1), (grid[2 * place + 1], "m", 100)):
                _panel(axes, table, networks, rows, value, scale)
                axes.axvline(0, color="0.4", lw=0.9)
            grid[2 * place].set(xlim=(-1.1, 1.1), xticks=(-1, 0, 1), xlabel="r", title=FAMILIES[kind].label)
            grid[2 * place + 1].set(xlabel="m (points of PK per WS)")
        handles = [
            Line2D([], [], **network_marks(network), ms=5, label=f"{names[network]} ({_points(table, network)})")
            for network in names
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=min(len(handles), 4))
        footnote(
            figure, "Dots: estimates, one reading changed at a time; lines: 95 % intervals (of r from n = 4).", note
        )
        return figure


def _points(table: pandas.DataFrame, network: str) -> str:
    """How many points the r of a network stand on."""
    counts = table.loc[(table["network"] == network) & table["r"].notna(), "n"]
    return "no r" if counts.empty else f"n = {_range(counts)}"


def _panel(axes: Axes, table: pandas.DataFrame, networks: list[str], rows: list[str], value: str, scale: float) -> None:
    """r or m of the networks of a family under each reading."""
    seen = []
    for place, network in enumerate(networks):
        own, line = table[table["network"] == network], network_marks(network)
        offset = 0.7 * ((place + 0.5) / len(networks) - 0.5)
        marks = {"marker": line["marker"], "color": line["color"], "ms": 4.5, "lw": 1}
        for reading in own[own["reading"].isin(rows)].to_dict("records"):
            estimate, low, high = (scale * reading[name] for name in (value, f"{value}_low", f"{value}_high"))
            _dot(axes, estimate, low, high, rows.index(reading["reading"]) + offset, marks)
            seen.append(estimate)
    if value == "m" and numpy.isfinite(seen).any():
        low, high = min(0, numpy.nanmin(seen)), max(0, numpy.nanmax(seen))
        axes.set_xlim(low - 0.6 * (high - low), high + 0.6 * (high - low))
