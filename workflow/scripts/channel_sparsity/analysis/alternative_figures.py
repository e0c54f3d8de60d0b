"""Figures of what could have been measured or read otherwise: other measures beside WS, other readings of the paper."""

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.analysis.labels import ALL
from channel_sparsity.analysis.measures import FORMS, MEASURES
from channel_sparsity.analysis.paper import METHODS
from channel_sparsity.analysis.plotting import empty, footnote, network_labels, network_marks, recipe_label, style
from channel_sparsity.analysis.readings import AS_CONFIGURED, SEVERAL, WORDS
from channel_sparsity.naming import FAMILIES, family

#: How the forms of a measure are drawn: shapes and colours (Tol's, for colour-blind readers) that no family has.
_FORM_MARKS = {
    "linear": {"marker": "X", "color": "0.15"},
    "log": {"marker": "P", "color": "#882255"},
    "rank": {"marker": "*", "color": "#999933", "ms": 7},
}


def measures(compared: pandas.DataFrame, note: str = "") -> Figure:
    """How closely each measure follows PK within networks, and by how much more than WS: dots with 95 % intervals.

    `compared`: ``measures.csv``. A row of panels for each of the paper's methods that the study has (the first recipe
    if none). `note` stands underneath.
    """
    with style():
        pooled = compared[compared["scope"] == ALL]
        if pooled["r"].isna().all():
            return empty("No measure can be compared yet: too few cells are included.", note)
        recipes = list(dict.fromkeys(pooled["recipe"]))
        recipes = [recipe for recipe in recipes if recipe in METHODS] or recipes[:1]
        figure = Figure(figsize=(10.5, 1.0 + 4.6 * len(recipes)), layout="constrained")
        grid = figure.subplots(len(recipes), 3, squeeze=False, sharey=True, width_ratios=(4, 4, 3))
        for panels, recipe in zip(grid, recipes, strict=True):
            own = pooled[pooled["recipe"] == recipe]
            _rows_of(panels, [MEASURES[name].words for name in MEASURES])
            for row in own.itertuples():
                height = list(MEASURES).index(row.measure) + 0.25 * (list(FORMS).index(row.form) - 1)
                marks = {"ms": 5, "lw": 1} | _FORM_MARKS[row.form]
                _dot(panels[0], row.r, row.r_low, row.r_high, height, marks)
                _dot(panels[1], row.difference, row.difference_low, row.difference_high, height, marks)
                panels[2].plot(100 * row.error_left_out, height, ls="", **marks)
            mean = own.loc[own["measure"] == "ws", "error_of_mean"].iloc[0]
            panels[2].axvline(100 * mean, color="0.4", lw=0.9, ls="--")
            for panel in panels[:2]:
                panel.axvline(0, color="0.4", lw=0.9)
            panels[0].set(
                xlim=(-1.05, 1.05),
                xticks=(-1, -0.5, 0, 0.5, 1),
                xlabel="r with PK, within networks",
                title=recipe_label(recipe),
            )
            panels[1].set(xlabel="r less that of WS (linear)", title=_sizes(own))
            panels[2].set(xlabel="error of a PK left out (points)", title="dashed: its network's mean alone")
        handles = [Line2D([], [], ls="", label=form, **_FORM_MARKS[form]) for form in FORMS]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
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
    """r and m of each network under every reading, one at a time, and the spread over all combinations of them.

    `table`: ``readings.csv``. Two columns of panels for each family, r and m, with a row for each reading. The last row
    has the least, the greatest, the quartiles and the median over all combinations of this study.
    """
    with style():
        names = network_labels(table) if len(table) else {}
        single = table[table["reading"] != SEVERAL]
        if single["r"].isna().all():
            return empty("No correlation can be drawn under any reading yet: too few cells are included.", note)
        known = [words for choices in WORDS.values() for words in choices.values()]
        rows = [AS_CONFIGURED, *(words for words in known if words in set(single["reading"]))]
        rows += [words for words in dict.fromkeys(single["reading"]) if words not in rows]
        families = list(dict.fromkeys(family(network) for network in names))
        most = max(sum(family(network) == kind for network in names) for kind in families)
        figure = Figure(
            figsize=(2.6 + 3.3 * len(families), 1.4 + (0.2 + 0.07 * most) * (len(rows) + 1)), layout="constrained"
        )
        grid = figure.subplots(1, 2 * len(families), squeeze=False, sharey=True)[0]
        _rows_of(grid, [*rows, "all combinations"])
        for place, kind in enumerate(families):
            networks = [network for network in names if family(network) == kind]
            for axes, value, scale in ((grid[2 * place], "r", 1), (grid[2 * place + 1], "m", 100)):
                _panel(axes, table, networks, rows, value, scale)
                axes.axvline(0, color="0.4", lw=0.9)
            grid[2 * place].set(xlim=(-1.1, 1.1), xticks=(-1, 0, 1), xlabel="r", title=FAMILIES[kind].label)
            grid[2 * place + 1].set(xlabel="m (points of PK per WS)")
        handles = [
            Line2D([], [], **network_marks(network), ms=5, label=f"{names[network]} ({_points(single, network)})")
            for network in names
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=min(len(handles), 4))
        combinations = _range(table.groupby("network").size())
        footnote(
            figure,
            f"Dots: estimates, one reading changed at a time; lines: 95 % intervals (of r from n = 4).\n"
            f"Last row: extremes, quartiles and median over {combinations} combinations a network.",
            note,
        )
        return figure


def _points(single: pandas.DataFrame, network: str) -> str:
    """How many points the r of a network stand on."""
    counts = single.loc[(single["network"] == network) & single["r"].notna(), "n"]
    return "no r" if counts.empty else f"n = {_range(counts)}"


def _panel(axes: Axes, table: pandas.DataFrame, networks: list[str], rows: list[str], value: str, scale: float) -> None:
    """r or m of the networks of a family under each reading, and over all of them."""
    seen = []
    for place, network in enumerate(networks):
        own, line = table[table["network"] == network], network_marks(network)
        offset = 0.7 * ((place + 0.5) / len(networks) - 0.5)
        marks = {"marker": line["marker"], "color": line["color"], "ms": 4.5, "lw": 1}
        for reading in own[own["reading"].isin(rows)].to_dict("records"):
            estimate, low, high = (scale * reading[name] for name in (value, f"{value}_low", f"{value}_high"))
            _dot(axes, estimate, low, high, rows.index(reading["reading"]) + offset, marks)
            seen.append(estimate)
        every = scale * own[value].dropna().to_numpy()
        if len(every):
            height = len(rows) + offset
            least, lower, median, upper, greatest = numpy.quantile(every, [0, 0.25, 0.5, 0.75, 1])
            axes.plot([least, greatest], [height, height], color=line["color"], lw=0.8)
            axes.plot([lower, upper], [height, height], color=line["color"], lw=3.5, solid_capstyle="butt")
            axes.plot(median, height, ls="", marker="|", ms=8, mew=1.5, color="black")
    if value == "m" and numpy.isfinite(seen).any():
        low, high = min(0, numpy.nanmin(seen)), max(0, numpy.nanmax(seen))
        axes.set_xlim(low - 0.6 * (high - low), high + 0.6 * (high - low))
