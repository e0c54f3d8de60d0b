"""How Prune Knee follows Weight Skewness: Eq. 8 to 10, with intervals for a handful of points (R24)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike
from scipy import stats

#: Pairings that are tried for a permutation p: all of them, so that it is exact, for up to eight points.
PAIRINGS = math.factorial(8)


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error, and the degrees of freedom of that (infinite where it is known)."""

    value: float
    error: float
    df: float = math.inf

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's t interval."""
        half = float(stats.t.ppf((1 + confidence) / 2, self.df)) * self.error
        return self.value - half, self.value + half

    def bounded(self) -> "Bounded":
        """The number with its interval at 95 %."""
        return Bounded(self.value, *self.interval())


@dataclass(frozen=True)
class Bounded:
    """A value with its interval, which need not lie evenly about it; None where undefined, for a `reason`."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def columns(self, name: str) -> dict[str, float | None]:
        """The number `name` and its interval, as columns of a table."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


def sign(low: float | None, high: float | None, above: str = "positive", below: str = "negative") -> str:
    """The word for an interval `above` or `below` 0; undecided where it holds 0, or is not known."""
    if low is None or not (low > 0 or high < 0):
        return "undecided"
    return above if low > 0 else below


def combine(weights: Sequence[float], estimates: Sequence[Estimate]) -> Estimate:
    """The weighted sum of independent estimates, with degrees of freedom after Welch and Satterthwaite."""
    variances = [(weight * each.error) ** 2 for weight, each in zip(weights, estimates, strict=True)]
    total = sum(variances)
    spread = sum(variance**2 / each.df for variance, each in zip(variances, estimates, strict=True))
    value = sum(weight * each.value for weight, each in zip(weights, estimates, strict=True))
    return Estimate(value, math.sqrt(total), total**2 / spread if spread > 0 else math.inf)


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates."""
    return combine([1 / len(estimates)] * len(estimates), estimates)


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


def correlate(ws: ArrayLike, pk: ArrayLike) -> dict:
    """Pearson's r of WS and PK [n] (Eq. 10), as columns of a table; missing values drop their pair.

    r_low and r_high: by Fisher's z, which varies by 1 / (n - 3), so from four points on. p: the share of all pairings
    of the same values whose abs(r) is at least as large, exact for up to eight points. What is undefined is None, for a
    `reason`: r needs three points that vary in both.
    """
    ws, pk = _pairs(ws, pk)
    r, p, reason = Bounded(), None, _no_correlation(ws, pk)
    if not reason:
        value, p = float(stats.pearsonr(ws, pk).statistic), _permutation_p(ws, pk)
        r = Bounded(value, *fisher(value, len(ws)))
        reason = "no interval of r at fewer than 4 points" if len(ws) < 4 else ""
    return {"n": len(ws), "p": p, "reason": reason} | r.columns("r")


def fisher(r: float, n: int, confidence: float = 0.95) -> tuple[float | None, float | None]:
    """Fisher's z interval of a correlation of n points, z varying by 1 / (n - 3); none under four."""
    if n < 4:
        return None, None
    z, half = fisher_z(r, n).value, float(stats.norm.ppf((1 + confidence) / 2)) / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def fisher_z(r: float, n: int) -> Estimate:
    """Fisher's z of a correlation of n points, four at least, as an estimate whose error is known.

    Finite for points that lie on a line, too.
    """
    return Estimate(math.atanh(max(-1 + 1e-15, min(1 - 1e-15, r))), 1 / math.sqrt(n - 3))


def leave_one_out(ws: ArrayLike, pk: ArrayLike) -> tuple[float | None, float | None]:
    """The smallest and the largest r that remain when one of the points [n] is left out; None if undefined."""
    ws, pk = _pairs(ws, pk)
    kept = [pearson(numpy.delete(ws, place), numpy.delete(pk, place))[1] for place in range(len(ws))]
    return (None, None) if None in kept or not kept else (min(kept), max(kept))


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


def regress(ws: ArrayLike, pk: ArrayLike) -> dict:
    """The least-squares line PK = m WS + b through points [n] (Eq. 8, 9), with Student's t intervals, as columns.

    Missing values drop their pair. It needs three points that vary in WS; a constant PK is a flat line. What is
    undefined is None, for a `reason`.
    """
    ws, pk = _pairs(ws, pk)
    reason = _no_line(ws)
    m, b = (Bounded(), Bounded()) if reason else (each.bounded() for each in line(ws, pk))
    return {"n": len(ws), "reason": reason} | m.columns("m") | b.columns("b")


def line(x: ArrayLike, y: ArrayLike) -> tuple[Estimate, Estimate]:
    """Slope and intercept of the least-squares line through at least three points [n] that vary in x."""
    df = len(x) - 2
    if numpy.ptp(y) == 0:  # of which SciPy knows no error
        return Estimate(0.0, 0.0, df), Estimate(float(numpy.mean(y)), 0.0, df)
    fit = stats.linregress(x, y)
    return Estimate(float(fit.slope), float(fit.stderr), df), Estimate(
        float(fit.intercept), float(fit.intercept_stderr), df
    )


def mean_of_values(values: ArrayLike) -> Estimate:
    """The mean of at least two values [n], with its standard error."""
    values = numpy.asarray(values, dtype=float)
    return Estimate(float(values.mean()), float(stats.sem(values)), len(values) - 1)


def difference_of_correlations(
    r: float, other: float, between: float, n: int, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """Zou's (2007) interval of r(x, y) - r(x, z) of n points that share x; `between` is r(y, z). None under four.

    From Fisher's intervals of both, and the correlation that the two have because they share x (Pearson & Filon 1898).
    """
    if n < 4:
        return None, None
    product = r * other
    free = (1 - r**2) * (1 - other**2)
    shared = (between - product / 2) * (1 - r**2 - other**2 - between**2) + between**3
    # On a line both are certain, and nothing is shared.
    shared = max(-1.0, min(1.0, shared / free)) if free > 1e-12 else 0.0
    (low, high), (other_low, other_high) = fisher(r, n, confidence), fisher(other, n, confidence)
    down, up = (r - low, other_high - other), (high - r, other - other_low)
    half_down, half_up = (math.sqrt(max(a**2 + b**2 - 2 * shared * a * b, 0.0)) for a, b in (down, up))
    return r - other - half_down, r - other + half_up
