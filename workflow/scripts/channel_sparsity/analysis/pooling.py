"""WS and PK over several networks: within each one, since differences between networks are another matter (R24)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

from channel_sparsity.analysis.labels import ALL
from channel_sparsity.analysis.levels import levels
from channel_sparsity.analysis.records import table
from channel_sparsity.analysis.statistics import line, pearson
from channel_sparsity.analysis.within import Within, several

#: The columns of ``pooled.csv`` and their types.
POOLED = {
    "networks": str,
    "recipe": str,
    "n_networks": int,
    "n": int,
    "m": float,
    "m_low": float,
    "m_high": float,
    "r": float,
    "r_low": float,
    "r_high": float,
    "p_same_slope": float,
    "m_naive": float,
    "r_naive": float,
    "reason": str,
}


@dataclass(frozen=True)
class Pooled:
    """One slope and one r of several networks, each with an intercept of its own; None where undefined.

    n: points, of `n_networks`. m: the common slope, with N - K - 1 degrees of freedom. r: the correlation within
    networks, with Fisher's z interval; it is a partial one and loses a point for every network but the first.
    p_same_slope: F test that the networks share a slope.
    """

    n: int
    n_networks: int
    m: float | None
    m_low: float | None
    m_high: float | None
    r: float | None
    r_low: float | None
    r_high: float | None
    p_same_slope: float | None
    reason: str


def pool(x: ArrayLike, y: ArrayLike, networks: Sequence[str]) -> Pooled:
    """How y [n] follows x [n] within networks [n]: both are centred in each network (`Within`).

    Points that lack either are left out, and so is a network with a single point, which adds nothing.
    """
    points = several(pandas.DataFrame({"x": x, "y": y, "network": list(networks)}).dropna())
    within = Within(points["y"], points["network"])
    m, r = within.slope(points["x"]), within.correlation(points["x"])
    reason = r.reason or ("no interval of r at so few points" if r.low is None else "")
    bounded = m.columns("m") | r.columns("r")
    return Pooled(within.count, within.groups, **bounded, p_same_slope=_p_same_slope(points), reason=reason)


def _p_same_slope(points: pandas.DataFrame) -> float | None:
    """p of the F test that lines of their own fit the networks no better than one slope.

    A network with two points counts: its own line takes both. None where there is one network, where one does not vary
    in x, or where no degree of freedom is left to test with.
    """
    networks = [own for _, own in points.groupby("network")]
    df = len(points) - 2 * len(networks)
    if len(networks) < 2 or df < 1 or any(numpy.ptp(own["x"]) == 0 for own in networks):
        return None
    own = sum(map(_unexplained, networks))
    if own <= 1e-15:
        return None
    more = len(networks) - 1
    return float(stats.f.sf((_unexplained(points) - own) / more / (own / df), more, df))


def _unexplained(points: pandas.DataFrame) -> float:
    """What one slope leaves of the points' y within networks."""
    return Within(points["y"], points["network"]).unexplained(points["x"])


def pooled(cells: pandas.DataFrame) -> pandas.DataFrame:
    """WS and PK within the networks of each family, and of all: ``pooled.csv``.

    `cells`: the table of that name; included cells count, averaged over the seeds of each lambda. A row stands for
    each recipe and each group of at least two networks. `m_naive` and `r_naive` are what comes out if the networks
    are ignored, to compare.
    """
    rows = []
    for recipe, own in levels(cells).groupby("recipe", sort=False):
        groups = [*own.groupby("family", sort=False), (ALL, own)]
        for name, group in groups:
            if group["network"].nunique() < 2 or (name == ALL and len(groups) == 2):
                continue
            result = pool(group["ws"], group["pk"], group["network"])
            naive = line(group["ws"], group["pk"])[0].value if result.m is not None else None
            row = {"networks": name, "recipe": recipe, "m_naive": naive}
            row["r_naive"] = pearson(group["ws"], group["pk"])[1]
            rows.append(row | asdict(result))
    return table(rows, POOLED)
