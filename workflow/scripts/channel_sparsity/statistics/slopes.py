"""How a number of the pruned networks grows with WS: a slope for each network, and their mean over networks (R24)."""

from collections.abc import Iterable, Mapping

import pandas

from channel_sparsity.statistics.regression import Bounded, Estimate, line, mean_of_values

#: Networks that an interval over networks takes.
ENOUGH = 3


def slopes(points: pandas.DataFrame, column: str) -> dict[str, Estimate]:
    """The slope of a column on WS in each network that has three points which differ in WS (Eq. 8).

    `points`: network, ws and the column, a row for each lambda.
    """
    own = {network: rows for network, rows in points.groupby("network", sort=False) if rows["ws"].nunique() > 2}
    return {network: line(rows["ws"], rows[column])[0] for network, rows in own.items()}


def over_networks(estimates: Mapping[str, Estimate]) -> Bounded:
    """The mean over networks, with Student's t interval over networks, whatever each of them is sure of.

    Networks differ in slope. So each is one observation of what networks of this kind do, however many lambdas and
    seeds it has. An interval takes `ENOUGH` networks; one network alone has that of its own line, which is about it.
    """
    if not estimates:
        return Bounded(reason="no network has three lambdas that count and differ in WS")
    if len(estimates) == 1:
        return next(iter(estimates.values())).bounded()
    return mean_over_networks(each.value for each in estimates.values())


def mean_over_networks(values: Iterable[float]) -> Bounded:
    """The mean of one value a network, with Student's t interval from `ENOUGH` networks on."""
    values = list(values)
    if len(values) < ENOUGH:
        return Bounded(sum(values) / len(values), reason=f"an interval takes {ENOUGH} networks")
    return mean_of_values(values).bounded()
