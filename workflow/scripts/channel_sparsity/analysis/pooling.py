"""WS and PK over several networks: within each one, since differences between networks are another matter (R24)."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

from channel_sparsity.analysis.levels import levels
from channel_sparsity.analysis.statistics import Estimate, fisher, line, pearson

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
    m: float | None = None
    m_low: float | None = None
    m_high: float | None = None
    r: float | None = None
    r_low: float | None = None
    r_high: float | None = None
    p_same_slope: float | None = None
    reason: str = ""


def pool(x: ArrayLike, y: ArrayLike, networks: Sequence[str]) -> Pooled:
    """How y [n] follows x [n] within networks [n]: both are centred in each network.

    Without that the sign can turn round (Simpson's paradox): that one network is sparser than another and prunes
    worse says nothing of what sparsity does to either. A network with a single point adds nothing.
    """
    points = pandas.DataFrame({"x": x, "y": y, "network": list(networks)}).dropna()
    points = points[points.groupby("network")["x"].transform("size") > 1]
    own = points.groupby("network")[["x", "y"]]
    n, count = len(points), own.ngroups
    centred = points[["x", "y"]] - own.transform("mean")
    # Centring leaves rounding where a network's values are all the same.
    centred = centred.where(centred.abs() > 1e-12 * points[["x", "y"]].abs(), 0.0)
    dx, dy = centred["x"].to_numpy(float), centred["y"].to_numpy(float)
    df, sxx, syy, sxy = n - count - 1, float(dx @ dx), float(dy @ dy), float(dx @ dy)
    if df < 1:
        return Pooled(n, count, reason=f"needs {max(count, 1) + 2} points, has {n}")
    if sxx == 0:
        return Pooled(n, count, reason="WS does not vary within networks")
    residual = max(syy - sxy**2 / sxx, 0.0)
    m = Estimate(sxy / sxx, math.sqrt(residual / df / sxx), df)
    pooled = Pooled(n, count, m.value, *m.interval(), p_same_slope=_p_same_slope(points, residual))
    if syy == 0:
        return replace(pooled, reason="PK does not vary within networks")
    pooled = replace(pooled, r=sxy / math.sqrt(sxx * syy))
    if df < 2:
        return replace(pooled, reason="no interval of r at so few points")
    low, high = fisher(pooled.r, df + 2)
    return replace(pooled, r_low=low, r_high=high)


def _p_same_slope(points: pandas.DataFrame, residual: float) -> float | None:
    """p of the F test that lines of their own fit the networks no better than one slope, which leaves `residual`.

    None where there is one network, or no degree of freedom left to test with.
    """
    fits = [(len(own), own["x"], own["y"]) for _, own in points.groupby("network")]
    if len(fits) < 2 or any(n < 3 or numpy.ptp(x) == 0 for n, x, _ in fits):
        return None
    own = sum((line(x, y)[0].error ** 2 * (n - 2) * ((x - x.mean()) ** 2).sum()) for n, x, y in fits)
    df = sum(n - 2 for n, _, _ in fits)
    if own <= 1e-15:
        return None
    return float(stats.f.sf((residual - own) / (len(fits) - 1) / (own / df), len(fits) - 1, df))


def pooled(cells: pandas.DataFrame) -> pandas.DataFrame:
    """WS and PK within the networks of each family, and of all: ``pooled.csv``.

    `cells`: the table of that name; included cells count, averaged over the seeds of each lambda. A row stands for
    each recipe and each group of at least two networks. `m_naive` and `r_naive` are what comes out if the networks
    are ignored, to compare.
    """
    rows = []
    for recipe, own in levels(cells).groupby("recipe", sort=False):
        groups = [*own.groupby("family", sort=False), ("all", own)]
        for name, group in groups:
            if group["network"].nunique() < 2 or (name == "all" and len(groups) == 2):
                continue
            result = pool(group["ws"], group["pk"], group["network"])
            naive = line(group["ws"], group["pk"])[0].value if result.m is not None else None
            row = {
                "networks": name,
                "recipe": recipe,
                "m_naive": naive,
                "r_naive": pearson(group["ws"], group["pk"])[1],
            }
            rows.append(row | asdict(result))
    return pandas.DataFrame(rows, columns=list(POOLED)).astype(POOLED)
