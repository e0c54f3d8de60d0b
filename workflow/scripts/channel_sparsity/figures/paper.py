"""The paper's three figures, drawn from the study's own gammas, curves and tables."""

import itertools

import numpy
import pandas
import seaborn
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.figures.style import (
    AXIS_WORDS,
    draw,
    empty,
    footnote,
    hollow_or_filled,
    lambda_colours,
    lambda_lines,
    network_handle,
    network_labels,
    network_marks,
    network_scales,
    recipe_label,
    style,
)
from channel_sparsity.measuring.knee import AXES
from channel_sparsity.measuring.sparsity import weight_skewness
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.tables.front import CELL

_GAMMA, _LAMBDA = "\N{GREEK SMALL LETTER GAMMA}", "\N{GREEK SMALL LETTER LAMDA}"

#: Panels that stand beside one another: as many as a page can show without making their words too small to read.
_CURVES_A_ROW, _RECIPES_A_ROW = 4, 2

#: What marks a knee, by its status; one that is not there is not drawn.
_KNEES = {"found": "o", "censored": ">", "none": ""}


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
    inside = numpy.clip(gamma[numpy.isfinite(gamma)], bins[0], bins[-1])
    bars = {"element": "step", "color": colour, "alpha": 1, "linewidth": 0}
    seaborn.histplot(x=inside, bins=bins, stat="percent", ax=axes, **bars)
    axes.set_yscale("symlog", linthresh=1, linscale=0.5)
    axes.set(ylim=(0, 100), xlim=(bins[0], bins[-1]), ylabel="")
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
        names, axis = network_labels(cells), cells["axis"].iloc[0]
        colours, dashes = lambda_colours(cells["lam"]), so.Nominal(lambda_lines(cells["lam"]))
        groups = dict(iter(_knees(curves, cells).groupby(["recipe", "network"])))
        panels = [place for place in itertools.product(dict.fromkeys(cells["recipe"]), names) if place in groups]
        # Of few networks all stand in one row, so that each has a column of its own.
        a_row = _CURVES_A_ROW // len(names) * len(names) or _CURVES_A_ROW
        figure, grid = _grid(len(panels), a_row, size=(2.5, 2.1), room=(1.4, 0.7))
        curves = curves.assign(rate=100 * curves[AXES[axis]], loss=100 * curves["accuracy_loss"])
        shown = {"x": "rate", "y": "loss", "color": "lam"}
        for place, (axes, (recipe, network)) in enumerate(zip(grid, panels, strict=True)):
            knees = groups[recipe, network]
            traced = curves[(curves["recipe"] == recipe) & (curves["network"] == network)]
            layers = [
                (so.Path(linewidth=1.2), traced, shown | {"group": "seed", "linestyle": "lam"}),
                *hollow_or_filled(knees, "included", shown | {"marker": "knee_status"}, edgecolor="0.15", pointsize=5),
            ]
            title = f"{names[network]}\n{recipe_label(recipe)}, n = {len(knees)}"
            draw(
                axes,
                layers,
                {"color": colours, "linestyle": dashes, "marker": _KNEES},
                title=title,
                y="accuracy loss (points)",
            )
            # The lowest panel of each column says what the axis is, also above an empty place of the last row.
            if place + a_row >= len(panels):
                axes.set_xlabel(AXIS_WORDS[axis])
                axes.tick_params(labelbottom=True)
        figure.legend(handles=_curve_legend(cells), loc="outside right upper")
        missing = (cells["knee_status"] == "none").sum()
        footnote(figure, f"Without a knee: {missing} of {len(cells)} curves." if missing else "", note)
        return figure


def _grid(count: int, a_row: int, size: tuple[float, float], room: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels of a size, `a_row` beside one another, and the panels. `room`: for what stands
    around; in inches."""
    columns, rows = min(a_row, count), -(-count // a_row)
    figure = Figure(figsize=(room[0] + size[0] * columns, room[1] + size[1] * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels[:count]


def _knees(curves: pandas.DataFrame, cells: pandas.DataFrame) -> pandas.DataFrame:
    """The cells with the place of their knee in percent (rate, loss); a knee that lies beyond stands at its bound."""
    steps = dict(iter(curves.groupby(CELL)[[AXES[cells["axis"].iloc[0]], "accuracy_loss"]]))
    bounds = cells.set_index(CELL)["knee_bound"].items()
    at_bound = [numpy.interp(bound, *steps[cell].to_numpy().T) for cell, bound in bounds]
    loss = cells["accuracy_loss_at_pk"].where(cells["pk"].notna(), at_bound)
    return cells.assign(rate=100 * cells["pk"].fillna(cells["knee_bound"]), loss=100 * loss)


def _curve_legend(cells: pandas.DataFrame) -> list[Line2D]:
    """What the lines and marks of the pruning curves stand for."""
    dashes = lambda_lines(cells["lam"])
    handles = [
        Line2D([], [], color=colour, ls=dashes[lam], lw=1.8, label=f"{_LAMBDA} = {lam}")
        for lam, colour in lambda_colours(cells["lam"]).items()
    ]
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
        cells = cells.assign(height=100 * cells["pk"].fillna(cells["knee_bound"]))
        drawn, fitted = cells.dropna(subset=["ws", "height"]), lines(cells, regression)
        most = int(correlation.groupby("recipe").size().max())
        figure, panels = _grid(len(recipes), _RECIPES_A_ROW, size=(3.9, 4.1 + 0.18 * most), room=(0.7, 0.5))
        shown = {"x": "ws", "y": "height", "color": "network"}
        for axes, recipe in zip(panels, recipes, strict=True):
            own = drawn[drawn["recipe"] == recipe]
            layers = [
                (so.Line(linewidth=1.2), fitted[fitted["recipe"] == recipe], shown | {"linestyle": "network"}),
                *hollow_or_filled(own, "included", shown | {"marker": "network"}, edgecolor="white", pointsize=7),
            ]
            draw(axes, layers, network_scales(names), title=recipe_label(recipe))
            axes.set_xlabel("Weight Skewness")
            axes.tick_params(labelbottom=True)  # of every row: a legend stands between them
            for cell in own[own["pk"].isna()].itertuples():
                arrow = {"arrowstyle": "<-", "color": network_marks(cell.network)["color"], "lw": 1.1, "shrinkB": 4}
                axes.annotate("", (cell.ws, cell.height), (0, 17), textcoords="offset points", arrowprops=arrow)
            handles = [
                network_handle(row.network, f"{names[row.network]}: {_correlation_words(row)}", lw=1.2, ms=6)
                for row in correlation[correlation["recipe"] == recipe].itertuples()
            ]
            axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.05, -0.13), borderaxespad=0)
        panels[0].margins(y=0.1)  # room for the arrows
        for axes in panels[::_RECIPES_A_ROW]:
            axes.set_ylabel(f"Prune Knee: {AXIS_WORDS[cells['axis'].iloc[0]]}")
        counts = [
            _count(cells["included"].sum(), "included"),
            _count((drawn["pk"].notna() & ~drawn["included"]).sum(), "excluded (hollow)"),
            _count(drawn["pk"].isna().sum(), "censored (arrow)"),
            _count(len(cells) - len(drawn), "without WS or knee (not drawn)"),
        ]
        footnote(figure, f"Cells: {', '.join(filter(None, counts))}.", note)
        return figure


def lines(cells: pandas.DataFrame, regression: pandas.DataFrame) -> pandas.DataFrame:
    """The ends (ws, height in percent) of the regression line of each recipe and network that has one.

    It goes no further than the points that it was fitted to, which are means over seeds.
    """
    group = ["recipe", "network"]
    points = over_seeds(cells[cells["included"]], ["ws"])
    ends = points.groupby(group)["ws"].agg(["min", "max"]).stack().rename("ws").reset_index()
    ends = ends.merge(regression[[*group, "m", "b"]].dropna(), on=group)
    return ends.assign(height=100 * (ends["m"] * ends["ws"] + ends["b"]))


def _count(number: int, words: str) -> str:
    """A number of cells in words; empty if there are none."""
    return f"{number} {words}" if number else ""


def _correlation_words(row: tuple) -> str:
    """A row of the correlation table as the legend says it."""
    if numpy.isnan(row.r):
        return f"no r ({row.reason})"
    interval = "" if numpy.isnan(row.r_low) else f" ({row.r_low:.2f} to {row.r_high:.2f})"
    return f"r = {row.r:.2f}{interval}, n = {row.n}"
