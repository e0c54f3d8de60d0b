"""The pruning curve of one trained network: a few channels at a time, fine-tuning, measuring (section 3.3)."""

import copy
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from channel_sparsity.networks import gammas_of, widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import cost, masked_parameters
from channel_sparsity.pruning.ista import rescale
from channel_sparsity.pruning.methods import Method
from channel_sparsity.pruning.padding import padded, trimmed
from channel_sparsity.pruning.selection import sizes_of
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import Failure, accuracy, fit, predict
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.recalibration import recalibrate
from channel_sparsity.training.recipe import Recipe, finetuning_recipe
from channel_sparsity.training.state import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How far each step goes and what follows it.

    `step`: the share of channels that goes in a step, `step_of` the ``original`` or the ``remaining`` ones (R16), up to
    `highest_rate`. `from_trained`: whether each rate is cut from the trained network, instead of from the repaired
    network of the step before (R17).
    """

    step: float
    step_of: str
    highest_rate: float
    from_trained: bool

    def counts(self, channels: int) -> list[int]:
        """How many of `channels` are gone after each step; 5 % of the original up to 95 % makes 19 steps."""
        counts = []
        for number in range(1, channels + 1):
            rate = number * self.step if self.step_of == "original" else 1 - (1 - self.step) ** number
            if rate > self.highest_rate + 1e-9:
                break
            counts.append(round(rate * channels))
        return sorted(set(counts))


@dataclass(frozen=True)
class Finetuning:
    """How a cut network is repaired (R17).

    `recipe`: its fine-tuning, with a fresh optimiser, under `penalty` (R23); None trains no weight. `rescaling`: Ye et
    al.'s alpha. Gammas and betas are multiplied and the weights that read them divided by it before, and the other way
    round afterwards. `recalibrate`: whether the running statistics of the normalisations are then taken anew, from all
    training clips as they are.
    """

    recipe: Recipe | None
    penalty: Penalty
    rescaling: float = 1.0
    recalibrate: bool = False

    @property
    def changes(self) -> bool:
        """Whether a cut network is repaired at all."""
        return self.recipe is not None or self.recalibrate


def planned(recipe: Mapping, training: Mapping, lam: float) -> tuple[Schedule, Finetuning]:
    """The steps and the repair that a recipe of the configuration asks for, after `training` at lambda `lam`."""
    tuning = recipe["finetuning"]
    schedule = Schedule(recipe["step"], recipe["step_of"], recipe["highest_rate"], tuning["when"] == "once")
    trained = None if tuning["when"] == "none" else finetuning_recipe(training, tuning)
    penalty = Penalty(tuning["penalty"], lam)
    return schedule, Finetuning(trained, penalty, tuning["rescaling"], tuning["recalibrate"])


@dataclass(frozen=True)
class Step:
    """One row of curve.csv, and what else is kept of it.

    Rates are fractions of the unpruned network's channels or parameters; `masked_rate` counts as if channels were
    masked, each by its own filter (R20); `accuracy_loss` is in fractions of clips against step 0, the trained network
    before any fine-tuning (R22), positive where accuracy was lost. `macs` are those of one clip.
    """

    step: int
    channels_removed: int
    channel_rate: float
    parameter_rate: float
    masked_rate: float
    parameters: int
    macs: int
    accuracy_before_finetuning: float
    accuracy: float
    accuracy_loss: float
    network: torch.nn.Module
    log_probabilities: torch.Tensor
    seconds: float

    COLUMNS = (
        "step",
        "channels_removed",
        "channel_rate",
        "parameter_rate",
        "masked_rate",
        "parameters",
        "macs",
        "accuracy_before_finetuning",
        "accuracy",
        "accuracy_loss",
    )


@dataclass(frozen=True)
class Reached:
    """A step of the curve to go on behind: its number, its network, and `State.seconds` when it was done."""

    step: int
    network: Network
    seconds: float


def trace(
    network: torch.nn.Module,
    method: Method,
    schedule: Schedule,
    finetuning: Finetuning,
    train: Subset,
    validation: Subset,
    *,
    seed: int,
    name: str,
    state: State | None = None,
    reached: Reached | None = None,
) -> Iterator[Step]:
    """Yield step 0, the network as it is, and then each step of its pruning curve.

    Fine-tuning runs on the cut network, so each step costs less than the one before; the order of clips in it depends
    on (`seed`, `name`, step) alone. The curve ends early where every layer is down to its last channel (R18), or with
    the `Failure` of a step's fine-tuning. `state` keeps how far fine-tuning is; with `reached`, the curve goes on
    behind that step, to the same bits.
    """
    bands, frames = train.logmel.shape[1:]
    unpruned, trained = cost(network, bands, frames), network
    channels = sum(len(gamma) for gamma in gammas_of(network).values())
    clock = time.perf_counter if state is None else state.seconds

    def gone(network: Network) -> int:
        return channels - sum(len(gamma) for gamma in gammas_of(network).values())

    def measure(number: int, network: torch.nn.Module, before: float | None, started: float) -> Step:
        log_probabilities = predict(padded(network), validation)
        right = accuracy(log_probabilities, validation)
        now = cost(network, bands, frames)
        return Step(
            step=number,
            channels_removed=gone(network),
            channel_rate=gone(network) / channels,
            parameter_rate=1 - now.parameters / unpruned.parameters,
            masked_rate=1 - masked_parameters(trained, widths_of(network)) / unpruned.parameters,
            parameters=now.parameters,
            macs=now.macs,
            accuracy_before_finetuning=right if before is None else before,
            accuracy=right,
            accuracy_loss=first.accuracy - right if number else 0.0,
            network=network,
            log_probabilities=log_probabilities.cpu(),
            seconds=clock() - started,
        )

    first = measure(0, network, None, clock())
    if reached is None:
        yield first
        reached = Reached(0, network, clock())
    most = channels - sum(sizes_of(network).values())
    last, started = reached.network, reached.seconds
    for number, count in list(enumerate(schedule.counts(channels), start=1))[reached.step :]:
        if gone(last) == most:
            log.info("the curve ends: every layer is down to its last channel")
            return
        source = trained if schedule.from_trained else last
        pruned = method.prune(source, number, count - gone(source))
        before = None
        if finetuning.changes:
            before = accuracy(predict(padded(pruned), validation), validation)
            purpose = (name, "finetuning", number)
            try:
                pruned = finetune(pruned, finetuning, train, seed=seed, purpose=purpose, state=state)
            except Failure as error:
                raise type(error)(f"in fine-tuning of step {number}, {error}") from error
        step = measure(number, pruned, before, started)
        log.info(
            "step %d: %.1f %% of the channels gone, accuracy %.1f %% (%.1f %% before fine-tuning), %.1f s",
            number,
            100 * step.channel_rate,
            100 * step.accuracy,
            100 * step.accuracy_before_finetuning,
            step.seconds,
        )
        last, started = step.network, clock()
        yield step


def finetune(
    network: torch.nn.Module,
    finetuning: Finetuning,
    train: Subset,
    *,
    seed: int,
    purpose: tuple[str | int, ...],
    state: State | None = None,
) -> torch.nn.Module:
    """A repaired copy of `network`, which learns in round numbers of channels (see `padding`), and `Failure`."""
    network = copy.deepcopy(network)
    alpha = 1.0 if finetuning.recipe is None else finetuning.rescaling
    rescale(network, alpha)
    learner = padded(network)
    if finetuning.recipe is not None:
        penalty = finetuning.penalty.options(learner, *train.logmel.shape[1:], priced=network)
        for epoch in fit(learner, train, finetuning.recipe, seed=seed, purpose=purpose, state=state, **penalty):
            log.info("fine-tuning epoch %d: loss %.4f", epoch.epoch, epoch.loss_train)
    if finetuning.recalibrate:
        recalibrate(learner, train)
    tuned = trimmed(learner, network)
    rescale(tuned, 1 / alpha)
    return tuned
