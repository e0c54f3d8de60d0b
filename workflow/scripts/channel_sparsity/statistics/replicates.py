"""What other seeds would have given: intervals of r, m and b from replicates of each lambda (R24)."""

import math
from collections.abc import Sequence

import numpy
import pandas

#: Resamples of the seeds.
RESAMPLES = 2000

#: Replicates that some lambda must have; every lambda must have two.
ENOUGH = 3


def seed_intervals(included: pandas.DataFrame) -> dict[str, tuple[float, float]]:
    """Percentile intervals, at 95 %, of r, m and b over seeds that are resampled, as blocks, within each lambda.

    `included`: the cells of one network and recipe that count, at three or more lambdas. A block is a seed's network,
    with its WS and its PK; the lambdas stay, so that the interval says what new trainings at the same lambdas would
    give. Deviations are widened by sqrt(S / (S - 1)), because S values spread less around their own mean than around
    the true one. The draws are the same in every call. Empty where there are too few replicates (`ENOUGH`).
    """
    blocks = [own[["ws", "pk"]].to_numpy(float) for _, own in included.groupby("lam", sort=False)]
    if len(blocks) < 3 or min(map(len, blocks)) < 2 or max(map(len, blocks)) < ENOUGH:
        return {}
    ws, pk = numpy.moveaxis(_resampled_means(blocks), -1, 0)
    dx, dy = (values - values.mean(axis=1, keepdims=True) for values in (ws, pk))
    with numpy.errstate(invalid="ignore", divide="ignore"):
        m = (dx * dy).sum(axis=1) / (dx**2).sum(axis=1)
        r = numpy.clip(m * numpy.sqrt((dx**2).sum(axis=1) / (dy**2).sum(axis=1)), -1, 1)  # not beyond by rounding
    drawn = {"r": r, "m": m, "b": pk.mean(axis=1) - m * ws.mean(axis=1)}
    tail = (1 - 0.95) / 2
    return {
        name: tuple(map(float, numpy.quantile(values, [tail, 1 - tail])))
        for name, values in drawn.items()
        if numpy.isfinite(values).all()
    }


def _resampled_means(blocks: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """Mean WS and PK of each lambda [resamples, lambdas, 2], from its seeds' [seeds, 2] drawn with replacement."""
    rng = numpy.random.default_rng(0)
    means = []
    for own in blocks:
        seeds, centre = len(own), own.mean(axis=0)
        drawn = (own - centre)[rng.integers(0, seeds, (RESAMPLES, seeds))].mean(axis=1)
        means.append(centre + math.sqrt(seeds / (seeds - 1)) * drawn)
    return numpy.stack(means, axis=1)
