"""How often the study's 95 % intervals hold the truth, simulated: where 95 % is claimed, what is it?

    PYTHONPATH=workflow/scripts python benchmarks/intervals.py

Prints a Markdown table (a few minutes on one core; the same numbers each time). What it says is in
docs/background/readings.md.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy
import pandas
from scipy import stats

from channel_sparsity.claims.paper import TABLE_1
from channel_sparsity.measuring import resampling
from channel_sparsity.measuring.knee import AXES, Rule, Trace, find, measure
from channel_sparsity.statistics.regression import difference_of_correlations, fisher, line, pearson
from channel_sparsity.statistics.replicates import seed_intervals
from channel_sparsity.statistics.slopes import over_networks, slopes

STUDIES = 500
WS = numpy.array([row.ws for row in TABLE_1])
SLOPE, BIAS = 0.06, 0.65

Covered = Iterator[tuple[str, str, bool]]


def single_seed(rng: numpy.random.Generator) -> Covered:
    """Six lambdas, one seed: r of normal points, and the line at Table 1's WS."""
    for true in (0.5, 0.8, 0.95):
        x, noise = rng.normal(size=(2, 6))
        low, high = fisher(pearson(x, true * x + math.sqrt(1 - true**2) * noise)[1], 6)
        yield "r, Fisher", f"n = 6, true r {true}", low <= true <= high
    m, b = line(WS, BIAS + SLOPE * WS + rng.normal(0, 0.04, 6))
    for name, estimate, true in (("m", m, SLOPE), ("b", b, BIAS)):
        low, high = estimate.interval()
        yield f"{name}, Student", "n = 6", low <= true <= high


def several_seeds(rng: numpy.random.Generator) -> Covered:
    """Six lambdas, three or five seeds, whose noise is shared between lambdas or not; lambdas lie .03 off the line."""
    for seeds in (3, 5):
        for shared in (0.0, 0.5):
            pk = BIAS + SLOPE * WS + rng.normal(0, 0.03, 6)
            fit = stats.linregress(WS, pk)
            truth = {"r": fit.rvalue, "m": fit.slope, "b": fit.intercept}
            ws, pk = (
                values[:, None]
                + size * math.sqrt(shared) * rng.normal(size=(1, seeds))
                + size * math.sqrt(1 - shared) * rng.normal(size=(6, seeds))
                for values, size in ((WS, 0.2), (pk, 0.04))
            )
            lam = numpy.repeat(numpy.arange(6), seeds)
            by_seeds = seed_intervals(pandas.DataFrame({"lam": lam, "ws": ws.ravel(), "pk": pk.ravel()}))
            x, y = ws.mean(axis=1), pk.mean(axis=1)
            m, b = line(x, y)
            alone = {"r": fisher(pearson(x, y)[1], 6), "m": m.interval(), "b": b.interval()}
            where = f"{seeds} seeds, {'half of their noise' if shared else 'none'} shared by the lambdas"
            for name, true in truth.items():
                (low, high), (other_low, other_high) = by_seeds[name], alone[name]
                yield f"{name}, seeds alone", where, low <= true <= high
                yield f"{name}, the wider", where, min(low, other_low) <= true <= max(high, other_high)


def several_networks(rng: numpy.random.Generator) -> Covered:
    """Networks of four lambdas that differ in slope, by as much as the mean slope is: what of all networks of the kind?

    Beside the mean over networks stands one slope for all of them, with the interval of the points' scatter about it.
    """
    for count in (3, 5, 12):
        for true, words in ((0.1, "mean slope .1"), (0.0, "no mean slope")):
            x = rng.uniform(0, 3, (count, 4))
            slopes_of = rng.normal(true, 0.06, (count, 1))
            y = slopes_of * x + rng.normal(0, 0.03, (count, 4)) + rng.normal(0, 0.2, (count, 1))
            names = numpy.repeat(numpy.arange(count).astype(str), 4)
            points = pandas.DataFrame({"network": names, "ws": x.ravel(), "pk": y.ravel()})
            mean = over_networks(slopes(points, "pk"))
            where = f"{count} networks of 4, slopes vary by .06, {words}"
            yield "m, mean over networks", where, mean.low <= true <= mean.high
            dx, dy = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
            m, df = (dx * dy).sum() / (dx**2).sum(), 3 * count - 1
            half = stats.t.ppf(0.975, df) * math.sqrt(((dy - m * dx) ** 2).sum() / df / (dx**2).sum())
            yield "m, one slope for all", where, m - half <= true <= m + half


def straight_curves(rng: numpy.random.Generator) -> Covered:
    """Curves that fall straight to chance have no knee, hinges have one near their bend."""
    for clips in (120, 160, 4000):
        for bend in (0.0, 0.3, 0.6, 0.8):
            accuracy = 0.95 - 0.75 * numpy.maximum(0, RATE - bend) / (1 - bend)
            seen = rng.binomial(clips, accuracy) / clips
            curve = pandas.DataFrame(dict.fromkeys(AXES.values(), RATE)).assign(
                accuracy=seen, accuracy_loss=seen[0] - seen
            )
            knee = measure(curve, 5, clips, Rule())
            found = knee["status"] == "found" and abs(knee["pk_channels"] - bend) <= 0.1
            right = found if bend else knee["status"] == "none"
            yield f"a {'bend at ' + str(bend) if bend else 'straight curve'}, told as such", f"{clips} clips", right


def two_recipes(rng: numpy.random.Generator) -> Covered:
    """The difference of two correlations that share WS."""
    for r, other, between in ((0.9, 0.9, 0.8), (0.95, 0.8, 0.7), (0.3, 0.9, 0.3)):
        cholesky = numpy.linalg.cholesky([[1, r, other], [r, 1, between], [other, between, 1]])
        ours = numpy.corrcoef(cholesky @ rng.normal(size=(3, 6)))
        low, high = difference_of_correlations(ours[0, 1], ours[0, 2], ours[1, 2], 6)
        yield "difference of r, Zou", f"n = 6, true r {r} and {other}", low <= r - other <= high


RATE, CLASSES = numpy.arange(20) * 0.05, 10


def locations(rng: numpy.random.Generator) -> Covered:
    """PK of a ragged curve whose clips hang together within locations."""
    for knee, width in ((0.85, 0.04), (0.7, 0.08), (0.8, 0.15)):
        for places, clips in ((60, 7), (95, 1), (150, 27)):
            fall = 1 / (1 + numpy.exp(-(RATE - knee) / width)) - 1 / (1 + numpy.exp(knee / width))
            accuracy = 0.9 - 0.8 * fall + numpy.r_[0, rng.normal(0, 0.01, 19)]
            true = find(Trace.of(RATE, accuracy[0] - accuracy), accuracy[0] - 1 / CLASSES, Rule()).position
            place, clip, step = (rng.normal(size=s) for s in ((places, 1), (places, clips), (20, places, clips)))
            latent = math.sqrt(0.2) * place + math.sqrt(0.4) * clip + math.sqrt(0.4) * step
            hits = (latent < stats.norm.ppf(numpy.clip(accuracy, 0.01, 0.99))[:, None, None]).reshape(20, -1)
            names = numpy.repeat(numpy.arange(places).astype(str), clips).tolist()
            found = resampling.resample(hits, names, pandas.DataFrame({"channel_rate": RATE}), CLASSES, Rule())
            where = f"knee {knee}, width {width}; {places} locations of {clips} clips"
            yield "PK, locations", where, found["low"] <= true <= found["high"]


def main() -> None:
    """Run every simulation and print how often each interval held the truth."""
    resampling.RESAMPLES, resampling.HALVINGS = 300, 1
    print("| interval | simulated | covers |\n|---|---|---|")
    for simulation, studies in (
        (single_seed, 4 * STUDIES),
        (several_seeds, STUDIES),
        (several_networks, STUDIES),
        (straight_curves, STUDIES // 2),
        (two_recipes, 4 * STUDIES),
        (locations, STUDIES // 5),
    ):
        rng, counts = numpy.random.default_rng(0), defaultdict(list)
        for _ in range(studies):
            for name, where, held in simulation(rng):
                counts[name, where].append(held)
        for (name, where), held in counts.items():
            print(f"| {name} | {where} | {100 * numpy.mean(held):.1f} % of {studies} |", flush=True)


if __name__ == "__main__":
    main()
