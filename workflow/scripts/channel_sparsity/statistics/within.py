"""How y follows x within networks, pooled, and which of two x it follows more closely (R24)."""

from collections.abc import Iterator

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

from channel_sparsity.naming import ALL
from channel_sparsity.statistics.regression import Bounded, difference_of_correlations, fisher, sign

#: Share of false verdicts that is allowed among all comparisons of a scope, together.
ALPHA = 0.05

#: Points that a verdict takes: with fewer, intervals of the confidence that it asks for miss too often (simulated).
DECIDING = 6

#: Values that spread less than this share of their size differ by rounding only.
_RESOLUTION = 1e-9


class Within:
    """What y of the cells of one or more networks has to do with their x, within networks.

    Every value is taken from its network's mean first: pooled as they are, networks that differ in WS and PK alike
    would show a correlation that none of them has, or hide one that all have (Simpson). A network's mean costs a degree
    of freedom.
    """

    def __init__(self, y: ArrayLike, networks: ArrayLike, names: tuple[str, str] = ("WS", "PK")):
        """`y` [n]: finite; `networks` [n]: names. `names`: of x and y, for reasons."""
        _, self._place, self._sizes = numpy.unique(networks, return_inverse=True, return_counts=True)
        self.count = len(self._place)
        #: As many points of a single network have the same degrees of freedom.
        self.points = self.count - max(len(self._sizes) - 1, 0)
        self._names = names
        self._y = self._centred(y)

    def _centred(self, values: ArrayLike) -> numpy.ndarray:
        """Values [n] less the mean of their network; 0 where all that is left of them is rounding."""
        values = numpy.asarray(values, float)
        centred = values - (numpy.bincount(self._place, weights=values) / self._sizes)[self._place]
        varies = numpy.linalg.norm(centred) > _RESOLUTION * numpy.linalg.norm(values)
        return centred if varies else numpy.zeros(self.count)

    def _r(self, x: numpy.ndarray, y: numpy.ndarray) -> float:
        """r of centred x and y that vary, never beyond 1 by rounding."""
        return float(numpy.clip(x @ y / numpy.sqrt((x @ x) * (y @ y)), -1, 1))

    def _no_correlation(self, *predictors: numpy.ndarray) -> str:
        """Why there is no correlation with centred x; empty if there is."""
        if self.points < 3:
            return f"needs at least {3 + self.count - self.points} points, has {self.count}"
        varies = [all(x.any() for x in predictors), self._y.any()]
        return "" if all(varies) else f"{self._names[varies.index(False)]} does not vary within networks"

    def correlation(self, x: ArrayLike) -> Bounded:
        """Pearson's r of x [n] and y within networks, with the interval of Fisher's z, where `points` are four."""
        x = self._centred(x)
        if reason := self._no_correlation(x):
            return Bounded(reason=reason)
        r = self._r(x, self._y)
        return Bounded(r, *fisher(r, self.points))

    def difference(self, x: ArrayLike, reference: ArrayLike, confidence: float = 0.95) -> Bounded:
        """r of x [n] less r of the reference [n], both with the same y, and the interval of Zou (2007).

        The two depend on each other, since they share y and since predictors are alike; the interval takes that into
        account.
        """
        x, other = self._centred(x), self._centred(reference)
        if reason := self._no_correlation(x, other):
            return Bounded(reason=reason)
        first, second, between = self._r(x, self._y), self._r(other, self._y), self._r(x, other)
        if between > 1 - _RESOLUTION:
            return Bounded(0.0, 0.0, 0.0)
        interval = difference_of_correlations(first, second, between, self.points, confidence)
        return Bounded(first - second, *interval)

    def verdict(self, x: ArrayLike, reference: ArrayLike, comparisons: int) -> str:
        """Whether y follows x better or worse than the reference, or undecided; same if they are one.

        All of as many `comparisons` together err with `ALPHA` (Bonferroni). So far out Fisher's z is too sure of a few
        points; Student's t with two degrees of freedom less than points takes the place of the normal distribution,
        and under `DECIDING` points all is undecided.
        """
        out = stats.t.isf(ALPHA / comparisons / 2, max(self.points - 2, 1))
        difference = self.difference(x, reference, 1 - 2 * stats.norm.sf(out))
        if difference.low == difference.high == 0:
            return "same"
        return sign(difference.low, difference.high, "better", "worse") if self.points >= DECIDING else "undecided"


def several(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of networks that have more than one: a single one says nothing within its network."""
    return cells[cells.groupby("network")["network"].transform("size") > 1]


def scopes(group: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    """All networks together, then each by itself, with their names."""
    yield ALL, group
    yield from group.groupby("network", sort=False)
