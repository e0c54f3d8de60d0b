"""How Prune Knee follows Weight Skewness: Eq. 8 to 10, with intervals for a handful of points (R24)."""

import math
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike
from scipy import stats

#: Pairings that are tried for a permutation p: all of them, so that it is exact, for up to eight points.
PAIRINGS = math.factorial(8)


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of n points (Eq. 10), its interval by Fisher's z, and p by permutation; None if undefined.

    p: the share of all pairings of the same values whose abs(r) is at least as large; exact for up to eight
    points.
    """

    n: int
    r: float | None = None
    r_low: float | None = None
    r_high: float | None = None
    p: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Regression:
    """The line PK = m WS + b through n points (Eq. 8, 9), with Student's t intervals; None if undefined."""

    n: int
    m: float | None = None
    m_low: float | None = None
    m_high: float | None = None
    b: float | None = None
    b_low: float | None = None
    b_high: float | None = None
    reason: str = ""


def _pairs(x: ArrayLike, y: ArrayLike) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Two equally long sequences as float arrays, without the pairs of which one is missing or infinite."""
    x, y = numpy.asarray(x, dtype=float), numpy.asarray(y, dtype=float)
    known = numpy.isfinite(x) & numpy.isfinite(y)
    return x[known], y[known]


def _constant(values: numpy.ndarray) -> bool:
    """Whether values differ by no more than rounding."""
    return bool(numpy.ptp(values) <= 1e-12 * numpy.abs(values).max())


def _no_line(x: numpy.ndarray) -> str:
    """Why no line can be laid through points at WS `x`; empty if one can."""
    if len(x) < 3:
        return f"needs at least 3 points, has {len(x)}"
    return "WS does not vary" if _constant(x) else ""


def _no_correlation(x: numpy.ndarray, y: numpy.ndarray) -> str:
    """Why WS `x` and PK `y` have no correlation; empty if they have."""
    return _no_line(x) or ("PK does not vary" if _constant(y) else "")


def correlate(ws: ArrayLike, pk: ArrayLike, confidence: float = 0.95) -> Correlation:
    """Pearson correlation of WS and PK [n] (Eq. 10); missing values drop their pair.

    Needs three points that vary in both; its interval needs four, since Fisher's z varies by 1 / (n - 3).
    """
    ws, pk = _pairs(ws, pk)
    reason = _no_correlation(ws, pk)
    if reason:
        return Correlation(len(ws), reason=reason)
    fit = stats.pearsonr(ws, pk)
    r, p = float(fit.statistic), _permutation_p(ws, pk)
    if len(ws) < 4:
        return Correlation(len(ws), r, p=p, reason="no interval of r at fewer than 4 points")
    low, high = fit.confidence_interval(confidence)
    return Correlation(len(ws), r, float(low), float(high), p)


def pearson(ws: ArrayLike, pk: ArrayLike) -> tuple[int, float | None]:
    """n and Pearson's r alone, as `correlate` has them."""
    ws, pk = _pairs(ws, pk)
    return len(ws), None if _no_correlation(ws, pk) else float(stats.pearsonr(ws, pk).statistic)


def _permutation_p(x: numpy.ndarray, y: numpy.ndarray) -> float:
    """Two-sided p of r over all pairings of x and y; over `PAIRINGS` from a fixed seed if there are more."""
    centred, norm = y - y.mean(), len(x) * x.std() * y.std()

    def magnitude(x, axis):
        return numpy.abs(numpy.sum(x * centred, axis=axis) / norm)

    test = stats.permutation_test(
        (x,),
        magnitude,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=PAIRINGS,
        vectorized=True,
        rng=numpy.random.default_rng(0),
    )
    return float(test.pvalue)


def tau_b(ws: ArrayLike, pk: ArrayLike) -> tuple[int, float | None]:
    """n and Kendall's tau-b of WS and PK, which takes ties into account; None where `correlate` has no r."""
    ws, pk = _pairs(ws, pk)
    return len(ws), None if _no_correlation(ws, pk) else float(stats.kendalltau(ws, pk).statistic)


def regress(ws: ArrayLike, pk: ArrayLike, confidence: float = 0.95) -> Regression:
    """Least-squares line of PK on WS [n] (Eq. 8, 9); missing values drop their pair.

    Needs three points that vary in WS; a constant PK is a flat line.
    """
    ws, pk = _pairs(ws, pk)
    reason = _no_line(ws)
    if reason:
        return Regression(len(ws), reason=reason)
    fit = stats.linregress(ws, pk)
    factor = stats.t.ppf((1 + confidence) / 2, len(ws) - 2)
    m, b = float(fit.slope), float(fit.intercept)
    m_half, b_half = float(factor * fit.stderr), float(factor * fit.intercept_stderr)
    return Regression(len(ws), m, m - m_half, m + m_half, b, b - b_half, b + b_half)
