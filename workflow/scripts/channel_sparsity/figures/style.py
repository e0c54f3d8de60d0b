"""What the figures have in common: their style, their marks and colours, and how they are saved."""

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy
import pandas
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channel_sparsity.claims.paper import METHODS
from channel_sparsity.files import whole
from channel_sparsity.naming import FAMILIES, NETWORKS, family, label

#: Plain text (a name may hold a dollar sign), text as text in the SVG, and the same bytes for the same
#: figure.
STYLE = {
    "text.parse_math": False,
    "svg.hashsalt": "channel-sparsity",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.edgecolor": "0.4",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.92",
    "grid.linewidth": 0.7,
    "xtick.color": "0.3",
    "ytick.color": "0.3",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "figure.dpi": 100,
}

#: Marker and line style of the families, in the order of the registry: the paper's markers (Fig. 3), and line styles so
#: that no one has to tell colours apart.
_SHAPES = (("o", "-"), ("^", "--"), ("s", ":"), ("D", "-."), ("v", "-"))

#: Their hues, which colour-blind readers can tell apart (Okabe and Ito's; those that are light on white paper, darker).
#: One more than there are shapes, so that thirty families differ in one or the other.
_HUES = ("#0072b2", "#d55e00", "#009e73", "#ad678e", "#ac7700", "#666666")

#: Shades of the first and of the last network of a family: the share of the way to white, or to black if negative.
_LIGHTEST, _DARKEST = 0.1, -0.65


#: What people call the axes of a pruning curve.
AXIS_WORDS = {
    "channels": "channels removed (%)",
    "parameters": "parameters removed (%)",
    "masked": "parameters removed, by masks (%)",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the study's style, whatever the machine's own settings say."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def network_marks(network: str) -> dict:
    """Marker, line style and colour of a network: the family by shape and hue, the variant by shade."""
    kind = family(network)
    place, networks = list(FAMILIES).index(kind), FAMILIES[kind].networks
    (marker, line), hue = _SHAPES[place % len(_SHAPES)], numpy.array(to_rgb(_HUES[place % len(_HUES)]))
    # Fewer than the paper's four networks are shaded as its first ones are.
    step = (_DARKEST - _LIGHTEST) / (max(4, len(networks)) - 1)
    shade = _LIGHTEST + step * networks.index(network)
    towards = numpy.full(3, float(shade > 0))
    return {
        "marker": marker,
        "linestyle": line,
        "color": tuple(hue + abs(shade) * (towards - hue)),
    }


def network_scales(networks: Iterable[str]) -> dict[str, so.Nominal]:
    """`network_marks` of several networks as scales, by what they are of, in the order of the networks."""
    marks = {network: network_marks(network) for network in networks}
    return {
        name: so.Nominal({network: each[name] for network, each in marks.items()}, order=list(marks))
        for name in ("color", "marker", "linestyle")
    }


def network_handle(network: str, words: str, **look: float) -> Line2D:
    """The entry of a legend that stands for a network."""
    return Line2D([], [], label=words, **network_marks(network), **look)


def draw(axes: Axes, layers: Iterable[tuple], scales: Mapping, **labels: str) -> None:
    """Layers of seaborn's on axes, without a legend: each a mark, its rows, their variables, and what moves the mark.

    `labels`: the title, and the names of x and y, which have none otherwise.
    """
    scales = {"fill": so.Nominal({True: True, False: False})} | dict(scales)
    plot = so.Plot().theme(STYLE).scale(**scales).label(**{"x": "", "y": ""} | labels)
    for mark, rows, variables, *moves in layers:
        plot = plot.add(mark, *moves, data=rows.reset_index(drop=True), legend=False, **variables)
    plot.on(axes).plot()
    if len(axes.get_shared_y_axes().get_siblings(axes)) > 1:
        axes.label_outer()  # seaborn shows the labels that shared axes hide


def hollow_or_filled(rows: pandas.DataFrame, filled: str, variables: Mapping, **look: object) -> list[tuple]:
    """Layers of points, with white paper in those that are not `filled`, a column of truths."""
    return [
        (so.Dot({"zorder": 3}, color="white", edgewidth=0, **look), rows, variables),
        (so.Dot({"zorder": 4}, edgewidth=0.8, stroke=1, **look), rows, variables | {"fill": filled}),
    ]


def lambda_colours(lambdas: Sequence[str]) -> dict[str, tuple]:
    """A colour for each lambda, from light (weakest) to dark, that grey print and colour blindness leave."""
    ordered = sorted(set(lambdas), key=float)
    colours = matplotlib.colormaps["viridis_r"]
    span = max(len(ordered) - 1, 1)
    return {lam: colours(0.32 + 0.68 * place / span) for place, lam in enumerate(ordered)}


def lambda_lines(lambdas: Sequence[str]) -> dict[str, str | tuple]:
    """A line style for each lambda, so that no two neighbours have to be told apart by their shades."""
    ordered = sorted(set(lambdas), key=float)
    return dict(zip(ordered, itertools.cycle(("-", (0, (4, 1)), (0, (1, 0.8)))), strict=False))


def network_labels(frame: pandas.DataFrame) -> dict[str, str]:
    """Names for people of the networks (columns network and width_scale), in the order of the registry."""
    scales = dict(zip(frame["network"], frame["width_scale"], strict=True))
    return {network: label(network, scales[network]) for network in NETWORKS if network in scales}


def recipe_label(recipe: str) -> str:
    """A recipe's name, with the paper's authors where it follows them."""
    return f"{recipe} ({METHODS[recipe]})" if recipe in METHODS else recipe


def empty(message: str, note: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = Figure(figsize=(6, 2.5), layout="constrained")
    figure.text(0.5, 0.5, message, ha="center", va="center", color="0.3")
    footnote(figure, note)
    return figure


def footnote(figure: Figure, *remarks: str) -> None:
    """Remarks under a figure, in lines that fit its width; the empty ones are left out."""
    width = int(17 * figure.get_figwidth())  # 18 letters of this size go into an inch
    lines = " ".join(filter(None, remarks)).splitlines()
    text = "\n".join(part for line in lines for part in textwrap.wrap(line, width))
    if text:
        figure.supxlabel(text, fontsize=8, color="0.35", x=0.01, ha="left")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure, as SVG or PNG by the suffix of `path`; the same figure gives the same bytes."""
    path = Path(path)
    metadata = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}[path.suffix]
    with style(), whole(path) as temporary:
        figure.savefig(temporary, metadata=metadata)
