"""Correlations within networks, pooled, and how far two of them differ: which measure follows PK more closely."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

#: Share of false verdicts that is allowed among all comparisons of a scope, together.
ALPHA = 0.05

#: Points that a verdict takes: with fewer, intervals of the confidence that it asks for miss too often (simulated).
DECIDING = 6

#: The scope of a row that pools all networks, within each.
ALL = "all"

#: Values that spread less than this share of their size differ by rounding only.
_RESOLUTION = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; None where it is undefined, for a `reason`."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def centred(values: numpy.ndarray, groups: numpy.ndarray) -> numpy.ndarray:
    """Values less the mean of their group [n]: what is left of them within networks."""
    _, place, count = numpy.unique(groups, return_inverse=True, return_counts=True)
    return values - (numpy.bincount(place, weights=values) / count)[place]


def without_given(values: numpy.ndarray, given: numpy.ndarray) -> numpy.ndarray:
    """What is left of centred values [n] when their line in the centred `given` [n] is taken out."""
    power = given @ given
    return values - given * (given @ values / power) if power > 0 else values


class Within:
    """Predictors and PK of the cells of one or more networks, compared within networks.

    Every value is taken from its network's mean first: pooled as they are, networks that differ in WS and PK alike
    would show a correlation that none of them has, or hide one that all have (Simpson). A network's mean costs a degree
    of freedom, and so does a `given` variable, whose line is taken out of all others (partial correlation).
    """

    def __init__(self, pk: ArrayLike, networks: ArrayLike, given: ArrayLike | None = None):
        """`pk`, `given` [n]: finite; `networks` [n]: names."""
        self._networks = numpy.asarray(networks)
        self._given = None if given is None else centred(numpy.asarray(given, float), self._networks)
        self._pk = self._left(pk)
        self.count, self.groups = len(self._networks), len(numpy.unique(self._networks))
        #: As many points of a single network, without a given variable, have the same degrees of freedom.
        self.points = self.count - (self.groups - 1) - (given is not None)

    def _left(self, values: ArrayLike) -> numpy.ndarray | None:
        """Centred values without what the given variable explains; None if nothing is left of them."""
        values = numpy.asarray(values, float)
        left = centred(values, self._networks)
        if self._given is not None:
            left = without_given(left, self._given)
        varies = numpy.linalg.norm(left) > _RESOLUTION * numpy.linalg.norm(values)
        return left if varies else None

    def _r(self, x: numpy.ndarray, y: numpy.ndarray) -> float:
        return float(numpy.clip(x @ y / numpy.sqrt((x @ x) * (y @ y)), -1, 1))

    def _undefined(self, *predictors: numpy.ndarray | None) -> str:
        if self.points < 3:
            return f"{self.count} points in {self.groups} networks are too few"
        if any(x is None for x in predictors):
            return "the measure does not vary within a network"
        return "PK does not vary within a network" if self._pk is None else ""

    def correlation(self, predictor: ArrayLike, confidence: float = 0.95) -> Estimate:
        """Pearson's r of a predictor [n] and PK within networks, with the interval of Fisher's z."""
        x = self._left(predictor)
        if reason := self._undefined(x):
            return Estimate(reason=reason)
        r = self._r(x, self._pk)
        return Estimate(r, *fisher_interval(r, self.points, confidence))

    def difference(self, predictor: ArrayLike, reference: ArrayLike, confidence: float = 0.95) -> Estimate:
        """r of a predictor less r of the reference, both with the same PK, and the interval of Zou (2007).

        The two depend on each other, since they share PK and since predictors are alike; the interval takes that
        into account.
        """
        x, other = self._left(predictor), self._left(reference)
        if reason := self._undefined(x, other):
            return Estimate(reason=reason)
        first, second, between = self._r(x, self._pk), self._r(other, self._pk), self._r(x, other)
        if between > 1 - _RESOLUTION:
            return Estimate(0.0, 0.0, 0.0)
        return Estimate(first - second, *difference_interval(first, second, between, self.points, confidence))

    def verdict(self, predictor: ArrayLike, reference: ArrayLike, comparisons: int) -> str:
        """Whether a predictor follows PK better or worse than the reference, or undecided; same if they are one.

        All of as many `comparisons` together err with `ALPHA` (Bonferroni). So far out Fisher's z is too sure of a few
        points; Student's t with two degrees of freedom less than points takes the place of the normal distribution,
        and under `DECIDING` points all is undecided.
        """
        out = stats.t.isf(ALPHA / comparisons / 2, max(self.points - 2, 1))
        difference = self.difference(predictor, reference, 1 - 2 * stats.norm.sf(out))
        return decide(difference) if self.points >= DECIDING or difference.value == 0 else "undecided"

    def slope(self, predictor: ArrayLike, confidence: float = 0.95) -> Estimate:
        """Slope of PK on a predictor, the same for all networks, with Student's t interval."""
        x = self._left(predictor)
        if self.points < 3 or x is None:
            return Estimate(reason=self._undefined(x))
        y = numpy.zeros(self.count) if self._pk is None else self._pk
        slope, freedom = float(x @ y / (x @ x)), self.points - 2
        error = math.sqrt(((y - slope * x) ** 2).sum() / freedom / (x @ x))
        half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
        return Estimate(slope, slope - half, slope + half)

    def error_left_out(self, predictor: ArrayLike | None = None) -> float | None:
        """Root mean square error of predicting each PK from the other points: networks' means and a common slope.

        Without a predictor, from the network's other points alone. None where a network has one point only or the
        predictor does not vary. In closed form: residual / (1 - leverage).
        """
        _, place, count = numpy.unique(self._networks, return_inverse=True, return_counts=True)
        leverage, residual = 1 / count[place], self._pk
        if predictor is not None:
            x = self._left(predictor)
            if x is None or residual is None:
                return None
            leverage = leverage + x**2 / (x @ x)
            residual = without_given(residual, x)
        if residual is None or (1 - leverage < _RESOLUTION).any():
            return None
        return float(numpy.sqrt(numpy.mean((residual / (1 - leverage)) ** 2)))


def fisher_interval(r: float, points: int, confidence: float = 0.95) -> tuple[float | None, float | None]:
    """The interval of r by Fisher's z, as of `points` independent pairs; none under four."""
    if points < 4:
        return None, None
    if abs(r) >= 1:
        return r, r
    half = stats.norm.ppf((1 + confidence) / 2) / math.sqrt(points - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def difference_interval(
    first: float, second: float, between: float, points: int, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The interval of first - second, two correlations with one variable in common (Zou 2007).

    `between`: the correlation of the other two variables. It is put together from the intervals of both by Fisher's z
    and the correlation of the estimates (Pearson & Filon 1898); none under four points.
    """
    if points < 4:
        return None, None
    (low1, high1), (low2, high2) = (fisher_interval(r, points, confidence) for r in (first, second))
    spread = (1 - first**2) * (1 - second**2)
    if spread <= 0:
        together = 0.0
    else:
        fixed = 1 - first**2 - second**2 - between**2
        together = ((between - first * second / 2) * fixed + between**3) / spread
    together = min(max(together, -1.0), 1.0)

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a**2 + b**2 - 2 * together * a * b, 0))

    difference = first - second
    return difference - reach(first - low1, high2 - second), difference + reach(high1 - first, second - low2)


def scopes(group: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    """All networks together, then each by itself, with their names."""
    yield ALL, group
    yield from group.groupby("network", sort=False)


def table(rows: list[Mapping], columns: Mapping) -> pandas.DataFrame:
    """Rows as a table of the given columns and types; counts that are missing are 0, words empty."""
    frame = pandas.DataFrame(rows, columns=list(columns))
    for name, kind in columns.items():
        if kind is not float:
            frame[name] = frame[name].fillna("" if kind is str else 0)
    return frame.astype(columns)


def spread(name: str, estimate: Estimate) -> dict:
    """An estimate as the three columns of a table."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def decide(estimate: Estimate) -> str:
    """What the interval of a difference says: better, worse, undecided, or same where both are one."""
    if estimate.value == estimate.low == estimate.high == 0:
        return "same"
    if estimate.value is None or estimate.low is None or estimate.low <= 0 <= estimate.high:
        return "undecided"
    return "better" if estimate.low > 0 else "worse"
