"""A grid of lambdas for a network and a data set, from a few short trainings (R9, R10).

Everything is planned in shrinkage, lambda x sum of the learning rates, so that what short trainings show can be carried
over to the study's longer ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy
from scipy.optimize import isotonic_regression

FIRST_SHRINKAGE = 0.01
"""The first rung of the ladder: 2 % of an initial gamma."""

LARGEST_SHRINKAGE = 10.0
"""Where the ladder ends if nothing ended it before."""

CLOSEST = 1.1
"""Levels closer than this factor could be the same lambda once written with two digits (1.05 and 1.14 are both 1.1)."""


@dataclass(frozen=True)
class Trial:
    """One short training. `ws` is None where it is undefined, `accuracy` (a fraction of clips) where it diverged."""

    shrinkage: float
    ws: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Goal:
    """What a grid is to span: WS up to `ws`, unless accuracy is sooner more than `margin` under the best."""

    ws: float
    margin: float
    clips: int

    def too_far(self, trial: Trial, trials: list[Trial]) -> bool:
        """Whether a trial is out of bounds: no WS, or beyond the best and less accurate by more than margin and noise.

        The noise is two standard errors of the difference of two accuracies on `clips` clips.
        """
        if trial.ws is None or trial.accuracy is None:
            return True
        best = max((other for other in trials if other.accuracy is not None), key=lambda other: other.accuracy)
        noise = 2 * math.sqrt(2 * best.accuracy * (1 - best.accuracy) / self.clips)
        return trial.shrinkage > best.shrinkage and trial.accuracy < best.accuracy - self.margin - noise


def explore(train: Callable[[float], Trial], goal: Goal, halvings: int = 2) -> tuple[list[Trial], str]:
    """Climb a ladder of shrinkages; return the trials, in ascending order, and why the ladder ended.

    First without penalty, then at FIRST_SHRINKAGE and ever twice as much, until WS reaches the goal or a trial is too
    far; then the interval in which that happened is halved `halvings` times, in its logarithm.
    """
    trials = [train(0.0)]
    if trials[0].ws is None or trials[0].accuracy is None:
        return trials, "without penalty the training diverged, or all gammas stayed alike"
    shrinkage = FIRST_SHRINKAGE
    while shrinkage <= LARGEST_SHRINKAGE:
        trials.append(train(shrinkage))
        if goal.too_far(trials[-1], trials):
            break
        if trials[-1].ws >= goal.ws:
            return trials, f"WS reached {goal.ws:g}"
        shrinkage *= 2
    else:
        return trials, f"WS stayed under {goal.ws:g} up to a shrinkage of {LARGEST_SHRINKAGE:g}"
    low, high = shrinkage / 2, shrinkage
    for _ in range(halvings):
        middle = math.sqrt(low * high)
        trials.append(train(middle))
        low, high = (low, middle) if goal.too_far(trials[-1], trials) else (middle, high)
    reason = f"accuracy fell by more than {100 * goal.margin:g} points (and two standard errors), or WS was undefined"
    return sorted(trials, key=lambda trial: trial.shrinkage), reason


def levels_of(trials: list[Trial], goal: Goal, levels: int) -> list[float]:
    """`levels` shrinkages: 0, then those where WS has risen by equal parts, up to the limit of R9.

    A slope on WS is known best from points that are spread over WS, and WS rises steeply close to the limit. That is
    where accuracy is the margin under its best, or the last trial that is not too far. Both numbers are read off
    isotonic fits of the trials, straight between them: single gammas can throw a WS off (R12), few clips an accuracy.
    """
    usable = [trial for trial in trials if not goal.too_far(trial, trials)]
    shrinkages = [trial.shrinkage for trial in usable]
    ws = isotonic_regression([trial.ws for trial in usable]).x
    lost = isotonic_regression([-trial.accuracy for trial in usable]).x
    limit = numpy.interp(lost[0] + goal.margin, lost, shrinkages)
    parts = numpy.linspace(ws[0], numpy.interp(limit, shrinkages, ws), levels)[1:]
    found = numpy.append(numpy.interp(parts[:-1], ws, shrinkages), limit)
    for lower in reversed(range(levels - 2)):
        found[lower] = min(found[lower], found[lower + 1] / CLOSEST)
    return [0.0, *found.tolist()]


def written(lam: float) -> str:
    """A lambda as the configuration has it, with one or two digits: ``0``, ``5e-4``, ``1.5e-4``; at most ``9e-1``."""
    if lam == 0:
        return "0"
    digits, exponent = f"{min(lam, 0.9):.1e}".split("e")
    return f"{digits.removesuffix('.0')}e-{-int(exponent)}"
