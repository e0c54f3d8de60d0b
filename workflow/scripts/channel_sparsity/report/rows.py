"""Rows of the report's own tables: claims and excluded cells, in words."""

from collections.abc import Mapping

import pandas

from channel_sparsity.claims.paper import METHODS
from channel_sparsity.figures.style import network_labels
from channel_sparsity.report.pages import NOTHING
from channel_sparsity.shares import percent


def claim_rows(claims: pandas.DataFrame) -> list[dict]:
    """Each row of ``claims.csv`` with its number and interval as text (`ours`, empty if there is none)."""
    return [
        {
            **{name: row[name] for name in ("says", "where", "quantity", "verdict", "reason", "n")},
            "by": METHODS.get(row["recipe"], row["recipe"]),
            "ours": _estimate(row),
            "printed": row["printed_verdict"],
        }
        for row in claims.to_dict("records")
    ]


def _estimate(row: Mapping) -> str:
    if pandas.isna(row["estimate"]):
        return ""
    if pandas.isna(row["estimate_low"]):
        return f"{row['estimate']:.3f}"
    return f"{row['estimate']:.3f} ({row['estimate_low']:.3f} to {row['estimate_high']:.3f})"


def excluded_rows(cells: pandas.DataFrame) -> list[list[str]]:
    """Network, recipe, lambda, seed, accuracy, WS, PK and the reason of every cell that does not count."""
    names = network_labels(cells)
    return [
        [
            names[row["network"]],
            row["recipe"],
            row["lam"],
            str(row["seed"]),
            NOTHING if pandas.isna(row["accuracy"]) else percent(row["accuracy"]),
            NOTHING if pandas.isna(row["ws"]) else f"{row['ws']:.2f}",
            NOTHING if pandas.isna(row["pk"]) else percent(row["pk"]),
            row["reason"],
        ]
        for row in cells[~cells["included"]].to_dict("records")
    ]
