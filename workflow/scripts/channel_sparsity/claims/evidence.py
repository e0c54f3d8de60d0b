"""What the paper's claims are judged on: a study's points and lines, or the paper's own printed ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.claims.paper import (
    EXAMPLE_NETWORK,
    METHODS,
    TABLE_1,
    TABLE_3,
    TABLE_4_M,
)
from channel_sparsity.configuration import FULL
from channel_sparsity.naming import PAPER_NETWORKS, family, label
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import Estimate, fisher_z, line, pearson
from channel_sparsity.tables.comparisons import comparisons

#: Points behind each value of Tables 3 and 4: the paper does not say; six, as many as Table 1 shows, is assumed.
PRINTED_N = 6


@dataclass(frozen=True)
class Line:
    """How PK follows WS in one network: Fisher's z of r, slope and intercept; None where they cannot be had."""

    z: Estimate | None
    m: Estimate | None
    b: Estimate | None


@dataclass(frozen=True)
class Evidence:
    """What is known of the networks that one recipe pruned.

    cells: their rows of ``cells.csv``, included or not. points: those included, averaged over the seeds of each
    lambda. lines: the `Line` of each network. methods: the rows of ``comparisons.csv`` for the paper's two
    methods. margins: differences of pk, m and r that count as none.
    """

    cells: pandas.DataFrame
    points: pandas.DataFrame
    lines: Mapping[str, Line]
    methods: pandas.DataFrame
    margins: Mapping[str, float]

    def name(self, network: str) -> str:
        """A network's name for people, with the study's factor on its widths."""
        scales = dict(zip(self.cells["network"], self.cells["width_scale"], strict=True))
        return label(network, scales.get(network, 1.0))


def gather(cells: pandas.DataFrame, recipe: str, margins: Mapping[str, float], ye: str = "ista") -> Evidence:
    """A study's evidence on one recipe; `cells` is the table of that name, with every recipe of one repair in it.

    `ye`: the recipe that stands for Ye et al. where the two methods are compared.
    """
    own = cells[cells["recipe"] == recipe]
    points = over_seeds(own[own["included"]], ("ws", "pk", "accuracy_loss_at_pk", "compression_rate"))
    lines = {network: _line(points[points["network"] == network]) for network in dict.fromkeys(own["network"])}
    ordered = pandas.concat([cells[cells["recipe"] == name] for name in ("slimming", ye)])
    methods = comparisons(ordered, margins)
    return Evidence(own, points, lines, methods, margins)


def _line(points: pandas.DataFrame) -> Line:
    """The line through the points of one network."""
    n, r = pearson(points["ws"], points["pk"])
    if r is None:
        return Line(None, None, None)
    return Line(fisher_z(r, n) if n > 3 else None, *line(points["ws"], points["pk"]))


def printed(recipe: str, margins: Mapping[str, float]) -> Evidence:
    """The paper's own evidence on one recipe: the points of Table 1, and lines after Tables 3 and 4.

    The error of a slope follows from r and n (`PRINTED_N`): m sqrt((1 - r^2) / (n - 2)) / r. That of an intercept would
    need the mean of WS, which is not given.
    """
    table = pandas.DataFrame(
        [
            {
                "network": EXAMPLE_NETWORK,
                "family": family(EXAMPLE_NETWORK),
                "recipe": name,
                "repair": FULL,
                "lam": f"row {place}",
                "seed": 0,
                "ws": row.ws,
                "pk": getattr(row, name).pk,
                "accuracy_loss_at_pk": getattr(row, name).accuracy_loss_at_pk,
                "compression_rate": getattr(row, name).compression_rate,
                "included": True,
                "within_limit": True,
                "width_scale": 1.0,
            }
            for name in METHODS
            for place, row in enumerate(TABLE_1)
        ]
    )
    own = gather(table, recipe, margins)
    lines = {network: _printed_line(TABLE_3[recipe][network], TABLE_4_M[recipe][network]) for network in PAPER_NETWORKS}
    return Evidence(own.cells, own.points, lines, own.methods, margins)


def _printed_line(r: float, m: float) -> Line:
    """What r and m of a row of Tables 3 and 4 say of its line."""
    df = PRINTED_N - 2
    return Line(fisher_z(r, PRINTED_N), Estimate(m, abs(m / r) * math.sqrt((1 - r**2) / df), df), None)
