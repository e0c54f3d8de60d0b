"""The paper's three figures, drawn from the study's own gammas, curves and tables."""

import numpy
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.figures.style import (
    empty,
    footnote,
    lambda_colours,
    network_labels,
    network_marks,
    recipe_label,
    style,
)
from channel_sparsity.measuring.knee import AXES
from channel_sparsity.measuring.sparsity import weight_skewness

_GAMMA, _LAMBDA = "\N{GREEK SMALL LETTER GAMMA}", "\N{GREEK SMALL LETTER LAMDA}"

#: What people call the axes of a pruning curve.
_AXIS_WORDS = {
    "channels": "channels removed (%)",
    "parameters": "parameters removed (%)",
    "masked": "parameters removed, by masks (%)",
}


def gammas(values: pandas.DataFrame, note: str = "") -> Figure:
    """Fig. 1: how the scaling factors of each network are distributed, from the weakest penalty on.

    `values`: a row each scaling factor, with the columns network, width_scale, lam, seed and gamma. Bars pool
    the seeds, WS is their mean; the outermost bars hold what lies beyond them. `note` stands underneath.
    """
    with style():
        if values.empty:
            return empty("No network has been trained yet.", note)
        names, colours = network_labels(values), lambda_colours(values["lam"])
        columns = int(values.groupby("network")["lam"].nunique().max())
        figure = Figure(figsize=(0.9 + 1.5 * columns, 0.7 + 1.35 * len(names)), layout="constrained")
        grid = figure.subplots(len(names), columns, squeeze=False, sharey=True)
        for row, network in zip(grid, names, strict=True):
            own = values[values["network"] == network]
            bins = _bins(own["gamma"].to_numpy(float))
            lambdas = sorted(own["lam"].unique(), key=float)
            for axes, lam in zip(row, lambdas, strict=False):
                cell = own[own["lam"] == lam]
                _histogram(axes, cell["gamma"].to_numpy(float), bins, colours[lam])
                axes.set_title(f"{_LAMBDA} = {lam}", fontsize=8)
                axes.text(0.97, 0.96, _ws_words(cell), transform=axes.transAxes, ha="right", va="top", fontsize=8)
            for axes in row[len(lambdas) :]:
                axes.set_visible(False)
            count = int(own.groupby(["lam", "seed"]).size().max())
            row[0].set_ylabel(f"{names[network]}\nshare of n = {count:,} (%)", fontsize=8)
        for axes in grid[-1]:
            axes.set_xlabel(f"scaling factor {_GAMMA}", fontsize=8)
        footnote(figure, note)
        return figure


def _ws_words(cell: pandas.DataFrame) -> str:
    """WS of one network at one lambda, the mean over its seeds, in words."""
    skewness = [weight_skewness(own.to_numpy(float)) for _, own in cell.groupby("seed")["gamma"]]
    known = [ws for ws in skewness if ws is not None and numpy.isfinite(ws)]
    return f"WS {numpy.mean(known):.2f}" if known else "WS undefined"


def _bins(gamma: numpy.ndarray, count: int = 30) -> numpy.ndarray:
    """Edges of the bars of one network: zero, and all between the 0.5 and 99.5 % quantiles."""
    gamma = gamma[numpy.isfinite(gamma)]
    low, high = numpy.quantile(gamma, [0.005, 0.995]) if len(gamma) else (0.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    return numpy.linspace(low, high if high - low > 1e-6 else low + 1, count + 1)


def _histogram(axes: Axes, gamma: numpy.ndarray, bins: numpy.ndarray, colour: tuple) -> None:
    """Bars of the share of the scaling factors, on a scale that shows one in a hundred beside nine in ten."""
    gamma = numpy.clip(gamma[numpy.isfinite(gamma)], bins[0], bins[-1])
    share = 100 * numpy.histogram(gamma, bins)[0] / max(len(gamma), 1)
    axes.stairs(share, bins, fill=True, color=colour, linewidth=0)
    axes.set_yscale("symlog", linthresh=1, linscale=0.5)
    axes.set(ylim=(0, 100), xlim=(bins[0], bins[-1]))
    axes.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    axes.minorticks_off()
    axes.locator_params(axis="x", nbins=3)


def pruning_curves(curves: pandas.DataFrame, cells: pandas.DataFrame, note: str = "") -> Figure:
    """Fig. 2: the accuracy that networks lose as they are pruned, and their knees, a panel each.

    `curves`: the rows of every ``curve.csv``, with network, recipe, lam and seed beside its own columns.
    `cells`: the table of that name, which holds the knees. `note` stands underneath.
    """
    with style():
        if curves.empty or cells.empty:
            return empty("No network has been pruned yet.", note)
        names, colours, axis = network_labels(cells), lambda_colours(cells["lam"]), cells["axis"].iloc[0]
        groups = {(recipe, network): own for (recipe, network), own in cells.groupby(["recipe", "network"])}
        panels = [
            (recipe, network)
            for recipe in dict.fromkeys(cells["recipe"])
            for network in names
            if (recipe, network) in groups
        ]
        columns = min(4, len(panels))
        rows = -(-len(panels) // columns)
        figure = Figure(figsize=(1.4 + 2.5 * columns, 0.7 + 2.1 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for place, (axes, (recipe, network)) in enumerate(zip(grid.flat, panels, strict=False)):
            traced = curves[(curves["recipe"] == recipe) & (curves["network"] == network)]
            for cell in groups[recipe, network].itertuples():
                steps = traced[(traced["lam"] == cell.lam) & (traced["seed"] == cell.seed)]
                _curve(axes, steps, cell, AXES[axis], colours[cell.lam])
            axes.set_title(f"{names[network]}\n{recipe_label(recipe)}, n = {len(groups[recipe, network])}")
            # The lowest panel of each column says what the axis is, also above an empty place of the last
            # row.
            if place + columns >= len(panels):
                axes.set_xlabel(_AXIS_WORDS[axis])
                axes.tick_params(labelbottom=True)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel("accuracy loss (points)")
        figure.legend(handles=_curve_legend(colours, cells), loc="outside right upper")
        missing = _count((cells["knee_status"] == "none").sum(), "curves have no knee.")
        footnote(figure, missing, note)
        return figure


def _curve(axes: Axes, steps: pandas.DataFrame, cell: tuple, column: str, colour: tuple) -> None:
    """One pruning curve, in percent, with its knee, or with an arrow at its end if the knee lies beyond."""
    axes.plot(100 * steps[column], 100 * steps["accuracy_loss"], color=colour, lw=1.2)
    mark = {"ls": "", "mec": "0.15" if cell.included else colour, "mew": 0.8, "zorder": 3}
    if cell.knee_status == "found":
        face = colour if cell.included else "white"
        axes.plot(100 * cell.pk, 100 * cell.accuracy_loss_at_pk, marker="o", ms=5, mfc=face, **mark)
    elif cell.knee_status == "censored":
        loss = numpy.interp(cell.knee_bound, steps[column], steps["accuracy_loss"])
        axes.plot(100 * cell.knee_bound, 100 * loss, marker=">", ms=6, mfc="white", **mark)


def _curve_legend(colours: dict[str, tuple], cells: pandas.DataFrame) -> list[Line2D]:
    """What the lines and marks of the pruning curves stand for."""
    handles = [Line2D([], [], color=colour, lw=1.8, label=f"{_LAMBDA} = {lam}") for lam, colour in colours.items()]
    found = cells["knee_status"] == "found"
    for shown, marker, face, words in (
        (found & cells["included"], "o", "0.3", "knee"),
        (found & ~cells["included"], "o", "white", "knee, excluded"),
        (cells["knee_status"] == "censored", ">", "white", "knee beyond"),
    ):
        if shown.any():
            handles.append(Line2D([], [], color="0.15", ls="", marker=marker, mfc=face, ms=5, label=words))
    return handles


def ws_vs_pk(
    cells: pandas.DataFrame, correlation: pandas.DataFrame, regression: pandas.DataFrame, note: str = ""
) -> Figure:
    """Fig. 3: PK over WS, a panel for each recipe, with the regression lines of the included cells.

    `cells`, `correlation` and `regression`: the tables of that name. Excluded cells are hollow; a censored
    knee stands at its bound, with an arrow upward; what has no WS or no knee cannot be drawn, and is counted
    underneath, where `note` stands too.
    """
    with style():
        if cells.empty:
            return empty("No network has been pruned yet.", note)
        names, recipes = network_labels(cells), list(dict.fromkeys(cells["recipe"]))
        drawn = cells[cells["ws"].notna() & (cells["pk"].notna() | cells["knee_bound"].notna())]
        most = int(correlation.groupby("recipe").size().max())
        figure = Figure(figsize=(0.7 + 3.9 * len(recipes), 4.6 + 0.18 * most), layout="constrained")
        panels = figure.subplots(1, len(recipes), squeeze=False, sharex=True, sharey=True)[0]
        for axes, recipe in zip(panels, recipes, strict=True):
            _scatter(axes, drawn[drawn["recipe"] == recipe])
            lines = regression[regression["recipe"] == recipe].set_index("network")
            handles = []
            for row in correlation[correlation["recipe"] == recipe].itertuples():
                chosen = cells[(cells["network"] == row.network) & (cells["recipe"] == recipe) & cells["included"]]
                _regression_line(axes, row.network, lines.loc[row.network], chosen["ws"])
                words = f"{names[row.network]}: {_correlation_words(row)}"
                handles.append(Line2D([], [], **network_marks(row.network), lw=1.2, ms=6, label=words))
            axes.set(title=recipe_label(recipe), xlabel="Weight Skewness")
            axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.05, -0.13), borderaxespad=0)
        panels[0].margins(y=0.1)  # room for the arrows
        panels[0].set_ylabel(f"Prune Knee: {_AXIS_WORDS[cells['axis'].iloc[0]]}")
        counts = [
            _count(cells["included"].sum(), "included"),
            _count((drawn["pk"].notna() & ~drawn["included"]).sum(), "excluded (hollow)"),
            _count(drawn["pk"].isna().sum(), "censored (arrow)"),
            _count(len(cells) - len(drawn), "without WS or knee (not drawn)"),
        ]
        footnote(figure, f"Cells: {', '.join(filter(None, counts))}.", note)
        return figure


def _count(number: int, words: str) -> str:
    """A number of cells in words; empty if there are none."""
    return f"{number} {words}" if number else ""


def _scatter(axes: Axes, cells: pandas.DataFrame) -> None:
    """The cells of one recipe: filled if included, hollow if not, with an arrow upward if censored."""
    for cell in cells.itertuples():
        marks = network_marks(cell.network)
        colour, censored = marks["color"], numpy.isnan(cell.pk)
        height = 100 * (cell.knee_bound if censored else cell.pk)
        edge, face = ("white", colour) if cell.included else (colour, "white")
        axes.plot(
            cell.ws,
            height,
            ls="",
            marker=marks["marker"],
            ms=7,
            mec=edge,
            mfc=face,
            mew=0.7 + 0.4 * (face == "white"),
            zorder=3,
        )
        if censored:
            arrow = {"arrowstyle": "<-", "color": colour, "lw": 1.1, "shrinkB": 4}
            axes.annotate("", (cell.ws, height), (0, 17), textcoords="offset points", arrowprops=arrow)


def _regression_line(axes: Axes, network: str, line: pandas.Series, ws: pandas.Series) -> None:
    """The regression line of one network between the smallest and largest `ws`, if there is a line."""
    if numpy.isnan(line["m"]):
        return
    ends = numpy.array([ws.min(), ws.max()])
    marks = network_marks(network)
    axes.plot(
        ends,
        100 * (line["m"] * ends + line["b"]),
        ls=marks["linestyle"],
        color=marks["color"],
        lw=1.2,
        zorder=2,
    )


def _correlation_words(row: tuple) -> str:
    """A row of the correlation table as the legend says it."""
    if numpy.isnan(row.r):
        return f"no r ({row.reason})"
    interval = "" if numpy.isnan(row.r_low) else f" ({row.r_low:.2f} to {row.r_high:.2f})"
    return f"r = {row.r:.2f}{interval}, n = {row.n}"
