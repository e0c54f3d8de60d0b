"""How fast this machine is: some steps of training and validation of a network, whole and at its narrowest.

Between the two, the time that a clip takes is as good as linear in its multiply-accumulates (docs/how-to/planning.md),
so they are enough for every step of a pruning curve.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy
import torch

from channel_sparsity.networks import build, widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import cost
from channel_sparsity.planning.costs import Speed
from channel_sparsity.pruning.padding import padded
from channel_sparsity.training.features import CPU, Subset
from channel_sparsity.training.fit import fit, predict
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.replay import WARM_UP
from channel_sparsity.training.settings import training_settings

FRAMES_AT_ONCE = 3200  # in a timed step on a CPU: 8 clips of 401 frames take as long a clip as 32 do
LONG_ENOUGH_S = 0.3  # of a measurement
RATES = tuple(round(0.05 * number, 2) for number in range(20))


class Timed(NamedTuple):
    """Seconds of a piece of work: what the first time took more, and every time after."""

    first: float
    each: float


def measure(
    name: str,
    shape: Mapping[str, float],
    classes: int,
    bands: int,
    frames: int,
    training: Mapping,
    device: torch.device = CPU,
) -> Speed:
    """The speed of a network in a `shape` (see `networks.build`), trained as `training` says on `bands` x `frames`.

    Seconds are CPU time, which other work disturbs least; on a GPU they are the clock's. Nothing is compiled.
    """
    torch.set_num_threads(training["threads"])
    network = build(name, classes, **shape).to(device)
    clips = clips_at_once(device, training["batch_size"], frames)
    subset = _noise(clips, bands, frames, classes, device)
    costs = [cost(_narrowed(network, rate), bands, frames) for rate in RATES]
    narrow, whole = (_step(_narrowed(network, rate), subset, training) for rate in (RATES[-1], 0))
    return Speed(
        network=name,
        shape_s=narrow[0].first + narrow[1].first,
        train_s=(whole[0].each / clips, narrow[0].each / clips),
        predict_s=(whole[1].each / clips, narrow[1].each / clips),
        rates=RATES,
        macs=tuple(each.macs for each in costs),
        parameters=tuple(each.parameters for each in costs),
        layers=len(network.channels),
        channels=sum(widths_of(network).values()),
        predict_shape_s=narrow[1].first,
    )


def clips_at_once(device: torch.device, batch_size: int, frames: int) -> int:
    """The clips of a timed epoch: part of a batch; on a GPU batches up to the capture of an update."""
    if device.type == "cuda":
        return (WARM_UP + 1) * batch_size
    return min(batch_size, max(4, math.ceil(FRAMES_AT_ONCE / frames)))


def start_s(training: Mapping, device: torch.device = CPU) -> float:
    """CPU seconds of this process until its first step is done, whatever libraries do once included.

    Every training and every curve pays them, so this comes before any `measure`.
    """
    network = build("mobilenet0.25", 2, 0.1).to(device)
    _step(padded(network), _noise(4, 40, 40, 2, device), training)
    return time.process_time()


def _narrowed(network: Network, rate: float) -> Network:
    """The network as a curve learns and measures it with this share of every layer's channels gone."""
    widths = {name: max(1, round(width * (1 - rate))) for name, width in widths_of(network).items()}
    return padded(network.resized(widths).to(network.head.weight.device), network)


def _noise(clips: int, bands: int, frames: int, classes: int, device: torch.device) -> Subset:
    generator = numpy.random.default_rng(0)
    logmel = torch.from_numpy(generator.standard_normal((clips, bands, frames), numpy.float32)).to(device)
    rows = numpy.arange(clips)
    return Subset.of(logmel, rows, rows % classes, numpy.zeros(bands), numpy.ones(bands))


def _step(network: Network, subset: Subset, training: Mapping) -> tuple[Timed, Timed]:
    """A step of training and a validation."""
    changes = {"epochs": 10**6, "learning_rate": 1e-3, "warmup_epochs": 0, "compile": False}
    settings = training_settings({**training, **changes})
    epochs = fit(network, subset, settings, Penalty(training["penalty"], 1e-4), seed=1, purpose=("speed",))
    device = subset.rows.device
    return _timed(lambda: next(epochs), device), _timed(lambda: predict(network, subset), device)


def _timed(work: Callable[[], object], device: torch.device) -> Timed:
    """Do some work until it has taken long enough; the least of its times counts."""
    times = []
    while len(times) < 2 or sum(times[1:]) < LONG_ENOUGH_S:
        began = _clock(device)
        work()
        times.append(_clock(device) - began)
    return Timed(max(0.0, times[0] - min(times[1:])), min(times[1:]))


def _clock(device: torch.device) -> float:
    """Seconds: of this process's CPU time, or, once all is done that a GPU was given to do, of the clock."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
