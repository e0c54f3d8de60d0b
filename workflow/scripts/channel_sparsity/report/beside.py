"""The paper's Tables 1, 3 and 4, laid out as there, with ours beside each number."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.claims.paper import EXAMPLE_NETWORK, METHODS
from channel_sparsity.naming import PAPER_NETWORKS, label
from channel_sparsity.report.pages import NOTHING, bounded
from channel_sparsity.words import percent


@dataclass(frozen=True)
class Layout:
    """A table to read: its name, a caption, column heads and rows of text; the first column names the row."""

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: list[list[str]]


_FORMS: dict[str, Callable[[float], str]] = {
    "accuracy": percent,
    "ws": "{:.2f}".format,
    "pk": percent,
    "accuracy_loss_at_pk": percent,
    "compression_rate": percent,
    "r": "{:.3f}".format,
    "m": "{:.2f}".format,
    "b": "{:.2f}".format,
}


def beside(paper: pandas.DataFrame, scales: Mapping[str, float]) -> list[Layout]:
    """Tables 1, 3 and 4 in the paper's order.

    `paper`: ``paper.csv``. `scales`: the factor on the widths of the study's networks.
    """
    return [_table_1(paper), _table_3(paper, scales), _table_4(paper, scales)]


def _pairs(own: pandas.DataFrame, keys: Iterable[tuple]) -> list[str]:
    """Ours and the paper's number for each (recipe, quantity), one after the other."""
    rows = own.set_index(["recipe", "quantity"], drop=False)
    pairs = []
    for key in keys:
        row = rows.loc[key].to_dict()
        form = _FORMS[row["quantity"]]
        pairs += [bounded(row, "ours", form), form(row["paper"])]
    return pairs


def _layout(name: str, caption: str, first: str, words: Iterable[str], rows: list[list[str]]) -> Layout:
    """A table of a first column and of ours and the paper's for each of `words`; empty columns of ours are left out."""
    heads = (first, *(f"{each}: {whose}" for each in words for whose in ("ours", "paper")))
    shown = [place for place in range(len(heads)) if any(row[place] != NOTHING for row in rows)]
    if len(shown) < len(heads):
        caption += " Columns of ours that would be empty are left out."
    if any(row[place] == NOTHING for row in rows for place in shown):
        caption += f" {NOTHING}: not in this study, or undefined."
    return Layout(name, caption, tuple(heads[place] for place in shown), [[row[p] for p in shown] for row in rows])


def _table_1(paper: pandas.DataFrame) -> Layout:
    """Accuracy, WS, and loss, compression rate and PK by both methods, of VGG-16 by rank in WS."""
    own = paper[paper["table"] == "Table 1"]
    own = own.assign(rank=own.groupby(["recipe", "quantity"]).cumcount() + 1)
    shared = [("slimming", quantity) for quantity in ("accuracy", "ws")]
    keys = [(recipe, name) for recipe in METHODS for name in ("accuracy_loss_at_pk", "compression_rate", "pk")]
    words = ["Accuracy", "WS"]
    words += [f"{who}, {word}" for who in METHODS.values() for word in ("loss at PK", "compression", "PK")]
    rows = [[f"{rank}", *_pairs(rows, [*shared, *keys])] for rank, rows in own.groupby("rank")]
    caption = f"{label(EXAMPLE_NETWORK)}, unpruned and at its Prune Knee."
    if own["ours"].notna().any():
        caption += " Ours are included cells of the same rank in WS, since the paper does not give the lambdas."
    return _layout("Table 1", caption, "Row", words, rows)


def _table_3(paper: pandas.DataFrame, scales: Mapping[str, float]) -> Layout:
    """r of WS and PK, a row each network."""
    own = paper[paper["table"] == "Table 3"]
    keys = [(recipe, "r") for recipe in METHODS]
    rows = [
        [label(network, scales.get(network, 1.0)), *_pairs(own[own["network"] == network], keys)]
        for network in PAPER_NETWORKS
    ]
    caption = "Pearson's r of Weight Skewness and Prune Knee, ours with a 95 % interval."
    return _layout("Table 3", caption, "Network", METHODS.values(), rows)


def _table_4(paper: pandas.DataFrame, scales: Mapping[str, float]) -> Layout:
    """Slope and bias of the regression line, two rows each network."""
    own = paper[paper["table"] == "Table 4"]
    rows = [
        [f"{label(network, scales.get(network, 1.0))}, {line}", *_pairs(own[own["network"] == network], keys)]
        for network in PAPER_NETWORKS
        for line in ("m", "b")
        for keys in [[(recipe, line) for recipe in METHODS]]
    ]
    caption = "The line PK = m WS + b (PK as a fraction), ours with a 95 % interval."
    return _layout("Table 4", caption, "Line", METHODS.values(), rows)
