"""What trainings and curves cost, from the speed of a machine; without torch, for plans are made on login nodes too."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import NamedTuple

import numpy


@dataclass(frozen=True)
class Speed:
    """A network on some machine: CPU seconds a clip, and what is left of it along a curve.

    `train_s` and `predict_s` are of the whole network and of its narrowest; `shape_s` is what the first step and the
    first validation of a new shape take more, `predict_shape_s` the latter alone. `macs` (of one clip) and `parameters`
    are those at `rates`, shares of every layer's channels.
    """

    network: str
    shape_s: float
    train_s: tuple[float, float]
    predict_s: tuple[float, float]
    rates: tuple[float, ...]
    macs: tuple[int, ...]
    parameters: tuple[int, ...]
    layers: int
    channels: int
    predict_shape_s: float = 0.0

    def macs_at(self, rate: float) -> float:
        """Multiply-accumulates of a clip with this share of the channels gone."""
        return float(numpy.interp(rate, self.rates, self.macs))

    def parameters_at(self, rate: float) -> float:
        """Parameters with this share of the channels gone."""
        return float(numpy.interp(rate, self.rates, self.parameters))

    def train_at(self, rate: float) -> float:
        """Seconds of training on a clip."""
        return self._between(self.train_s, rate)

    def predict_at(self, rate: float) -> float:
        """Seconds of validating a clip."""
        return self._between(self.predict_s, rate)

    def _between(self, ends: tuple[float, float], rate: float) -> float:
        whole, narrowest = ends
        return float(numpy.interp(self.macs_at(rate), (self.macs[-1], self.macs[0]), (narrowest, whole)))


class Clips(NamedTuple):
    """How many clips train and how many validate."""

    train: int
    validation: int


class Work(NamedTuple):
    """What a job costs: CPU seconds, and multiply-accumulates (three times a prediction's for a step of training).

    `host_s`: those of the seconds in which a GPU has nothing to compute, for the job starts or plans a new shape.
    """

    seconds: float
    macs: float
    host_s: float


def training_work(speed: Speed, training: Mapping, clips: Clips, start_s: float) -> Work:
    """One training, with a validation every epoch and one at the end."""
    epochs = training["epochs"]
    seconds = epochs * clips.train * speed.train_at(0) + (epochs + 1) * clips.validation * speed.predict_at(0)
    macs = speed.macs_at(0) * (3 * epochs * clips.train + (epochs + 1) * clips.validation)
    host_s = start_s + speed.shape_s
    return Work(host_s + seconds, macs, host_s)


def curve_work(speed: Speed, recipe: Mapping, clips: Clips, start_s: float) -> Work:
    """One pruning curve, if every layer loses the same share, with its control (fine-tuning without pruning)."""
    trained, recalibrated = recipe["finetuning"]["when"] != "none", recipe["finetuning"]["recalibrate"]
    learning = recipe["finetuning"]["epochs"] * clips.train if trained else 0
    learning += clips.train if recipe["method"] == "taylor" else 0  # whose scores are gradients
    # Before the repair and after it; and what takes statistics anew is a prediction of all training clips.
    predicting = (1 + (trained or recalibrated)) * clips.validation + recalibrated * clips.train
    shape_s = speed.shape_s if learning else speed.predict_shape_s
    rates = [0.0, *rates_of(recipe)]
    host_s = start_s + len(rates) * shape_s
    seconds = sum(learning * speed.train_at(rate) + predicting * speed.predict_at(rate) for rate in rates)
    macs = sum(speed.macs_at(rate) * (3 * learning + predicting) for rate in rates)
    return Work(host_s + seconds, macs, host_s)


def rates_of(recipe: Mapping) -> list[float]:
    """The shares of the channels that are gone after each step of a recipe's curve."""
    step, highest = recipe["step"], recipe["highest_rate"] + 1e-9
    if recipe["step_of"] == "original":
        rates = (number * step for number in count(1))
    else:
        rates = (1 - (1 - step) ** number for number in count(1))
    return list(takewhile(lambda rate: rate <= highest, rates))


def epochs_of(work: Mapping) -> float:
    """Where nothing was measured: the epochs of a training; of a curve those of each step and of the control, with
    validations as a fifth of one. `work` as in `seconds_of`."""
    if "finetuning" not in work:
        return work["epochs"]
    tuning = work["finetuning"]
    each = 0.4 + (0 if tuning["when"] == "none" else tuning["epochs"])
    each += 0.3 * tuning["recalibrate"] + (work["method"] == "taylor")
    return (1 + len(rates_of(work))) * each


def seconds_of(estimate: Mapping, network: str, clips: Clips, work: Mapping) -> float:
    """CPU seconds, from an estimate.json, of a training or of a curve: `work` is the configuration's `training`, or a
    recipe's settings."""
    kind = curve_work if "finetuning" in work else training_work
    return kind(Speed(**estimate["speeds"][network]), work, clips, estimate["start_s"]).seconds
