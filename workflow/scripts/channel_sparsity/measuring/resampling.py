"""How far one knee can be trusted: its clips resampled, its loss read from clips that did not place it (R24, R25)."""

from collections.abc import Sequence

import numpy
import pandas

from channel_sparsity.measuring.knee import AXES, Rule, Trace, find
from channel_sparsity.seeds import derive

#: What there is to say without a knee, or with clips of a single location.
UNKNOWN = {"locations": None, "low": None, "high": None, "accuracy_loss_held_out": None}

#: Resamples of the locations; a knee takes about 0.1 ms.
RESAMPLES = 1000

#: Times that the locations are halved.
HALVINGS = 50

#: Resamples of kneed, which takes ten times as long.
RESAMPLES_OF_KNEED = 200


def resample(hits: numpy.ndarray, locations: Sequence[str], curve: pandas.DataFrame, classes: int, rule: Rule) -> dict:
    """The interval of PK, and the loss at PK without the clips that placed it, as ``knee.json`` holds them.

    `hits` [steps, clips]: whether each validation clip was told right at each step of `curve` (``curve.csv``).
    `locations` [clips]: where it was recorded; clips of a place stand or fall together, so places are what is drawn.
    `classes`: the number of scenes. The result:

    - locations: how many there are; low, high: the 2.5 and 97.5 % quantiles of PK, on the rule's axis, over as many
      locations drawn with replacement. A resample that is censored counts at its bound, one that falls from the first
      step on as 0. The network and its fine-tuning stay as they are: what other trainings would give, seeds say.
    - accuracy_loss_held_out: PK placed by a random half of the locations, the loss there (of the isotonic fit) read
      from the other half, both ways round, the mean over `HALVINGS`.

    All but the first null if there are fewer than 2. The draws depend on the locations' names alone, so that
    recipes and lambdas are resampled alike.
    """
    names, place = numpy.unique(numpy.asarray(locations), return_inverse=True)
    count = len(names)
    if count < 2:
        return UNKNOWN | {"locations": count}
    clips = numpy.bincount(place)
    right = numpy.stack([numpy.bincount(place, weights=step) for step in hits], axis=1)
    rate = curve[AXES[rule.axis]].to_numpy(float)
    rng = numpy.random.default_rng(derive(0, *names))

    drawn = rng.multinomial(count, [1 / count] * count, RESAMPLES_OF_KNEED if rule.name == "kneed" else RESAMPLES)
    positions = [_position(accuracy, rate, classes, rule) for accuracy in (drawn @ right) / (drawn @ clips)[:, None]]
    low, high = numpy.quantile(positions, [0.025, 0.975])

    losses = []
    for _ in range(HALVINGS):
        halves = numpy.array_split(rng.permutation(count), 2)
        one, two = (right[half].sum(axis=0) / clips[half].sum() for half in halves)
        for placing, reading in ((one, two), (two, one)):
            losses.append(_loss(_position(placing, rate, classes, rule), reading, rate))
    return {
        "locations": count,
        "low": float(low),
        "high": float(high),
        "accuracy_loss_held_out": float(numpy.mean(losses)),
    }


def _position(accuracy: numpy.ndarray, rate: numpy.ndarray, classes: int, rule: Rule) -> float:
    """PK of a curve of accuracies [steps]; its bound where it is censored, 0 where there is none."""
    full_loss = float(accuracy[0]) - 1 / classes
    if full_loss <= 0:
        return 0.0
    knee = find(Trace.of(rate, accuracy[0] - accuracy), full_loss, rule)
    if knee.status == "found":
        return knee.position
    return knee.bound if knee.status == "censored" else 0.0


def _loss(position: float, accuracy: numpy.ndarray, rate: numpy.ndarray) -> float:
    """The loss at a rate, from the isotonic fit of a curve of accuracies [steps]."""
    trace = Trace.of(rate, accuracy[0] - accuracy)
    return float(numpy.interp(position, trace.rate, trace.fit))
