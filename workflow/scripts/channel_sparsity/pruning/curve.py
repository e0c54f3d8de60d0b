"""The pruning curve of one trained network: a few channels at a time, fine-tuning, measuring (section 3.3)."""

import copy
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch

from channel_sparsity.networks import count_gammas, widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import cost, masked_parameters
from channel_sparsity.pruning.ista import rescale
from channel_sparsity.pruning.methods import Method, method_of
from channel_sparsity.pruning.padding import padded, trimmed
from channel_sparsity.pruning.selection import sizes_of
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import Failure, accuracy, enough_memory, fit, predict, seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.recalibration import recalibrate
from channel_sparsity.training.settings import TrainingSettings, finetuning_settings
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

    `settings`: those of its fine-tuning, with a fresh optimiser, under `penalty` (R23); None trains no weight.
    `rescaling`: Ye et al.'s alpha. Gammas and betas are multiplied and the weights that read them divided by it before,
    and the other way round afterwards. `recalibrate`: whether the running statistics of the normalisations are then
    taken anew, from all training clips as they are.
    """

    settings: TrainingSettings | None
    penalty: Penalty
    rescaling: float = 1.0
    recalibrate: bool = False

    @property
    def changes(self) -> bool:
        """Whether a cut network is repaired at all."""
        return self.settings is not None or self.recalibrate


@dataclass(frozen=True)
class Plan:
    """All that decides the pruning curve of a trained network, but for the network.

    It is fine-tuned on the clips of the method's `Context`, in an order that hangs on the name, the seed and the step.
    """

    method: Method
    schedule: Schedule
    finetuning: Finetuning


def plan_of(recipe: Mapping, training: Mapping, *, lam: float, name: str, seed: int, train: Subset) -> Plan:
    """The curve that a recipe of the configuration asks for, of a network that `training` trained at lambda `lam`."""
    tuning = recipe["finetuning"]
    schedule = Schedule(recipe["step"], recipe["step_of"], recipe["highest_rate"], tuning["when"] == "once")
    settings = None if tuning["when"] == "none" else finetuning_settings(training, tuning)
    finetuning = Finetuning(settings, Penalty(tuning["penalty"], lam), tuning["rescaling"], tuning["recalibrate"])
    return Plan(method_of(recipe, name=name, seed=seed, train=train), schedule, finetuning)


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
    network: Network
    log_probabilities: torch.Tensor
    seconds: float


#: The columns of curve.csv.
COLUMNS = [field.name for field in fields(Step) if field.name not in ("network", "log_probabilities", "seconds")]


class Made(NamedTuple):
    """A step's networks: as surgery left it, and repaired (the same one if nothing is repaired)."""

    step: int
    cut: Network
    network: Network


@dataclass(frozen=True)
class Reached:
    """A step of the curve to go on behind: its number, its network, and `State.seconds` when it was done."""

    step: int
    network: Network
    seconds: float = 0.0


def make_steps(network: Network, plan: Plan, reached: Reached, state: State | None = None) -> Iterator[Made]:
    """Make the steps of the curve of a trained `network` that lie behind `reached`, without measuring them.

    Fine-tuning runs on the cut network, so each step costs less than the one before. The curve ends early where every
    layer is down to its last channel (R18), or with the `Failure` of a step's fine-tuning. `state` keeps how far
    fine-tuning is.
    """
    channels = count_gammas(network)
    most, last = channels - sum(sizes_of(network).values()), reached.network
    for step, count in list(enumerate(plan.schedule.counts(channels), start=1))[reached.step :]:
        if channels - count_gammas(last) == most:
            log.info("the curve ends: every layer is down to its last channel")
            return
        source = network if plan.schedule.from_trained else last
        with enough_memory(f"for the cut of step {step}"):
            cut = last = plan.method.prune(source, step, count - (channels - count_gammas(source)))
        if plan.finetuning.changes:
            try:
                last = finetune(cut, plan, step, state, network)
            except Failure as error:
                raise type(error)(f"in fine-tuning of step {step}, {error}") from error
        yield Made(step, cut, last)


def remake(network: Network, plan: Plan, step: int) -> Network:
    """The network of one step of the curve of a trained `network`, as `trace` makes it, bit for bit.

    The steps in between are not measured, and those that it does not come from (`Schedule.from_trained`) not made.
    """
    if step == 0:
        return network
    before = step - 1 if plan.schedule.from_trained else 0
    return next(made.network for made in make_steps(network, plan, Reached(before, network)) if made.step == step)


def trace(
    network: Network, plan: Plan, validation: Subset, state: State | None = None, reached: Reached | None = None
) -> Iterator[Step]:
    """Yield step 0, the network as it is, and then each step of its pruning curve, as `make_steps` makes them.

    With `reached`, the curve goes on behind that step, to the same bits.
    """
    clock = time.perf_counter if state is None else state.seconds
    started = clock()
    first = measure_step(Made(0, network, network), network, validation)
    if reached is None:
        yield replace(first, seconds=clock() - started)
        reached = Reached(0, network, clock())
    started = reached.seconds
    for made in make_steps(network, plan, reached, state):
        step = measure_step(made, network, validation)
        step = replace(step, accuracy_loss=first.accuracy - step.accuracy, seconds=clock() - started)
        log.info(
            "step %d: %.1f %% of the channels gone, accuracy %.1f %% (%.1f %% before fine-tuning), %.1f s",
            step.step,
            100 * step.channel_rate,
            100 * step.accuracy,
            100 * step.accuracy_before_finetuning,
            step.seconds,
        )
        started = clock()
        yield step


def measure_step(made: Made, unpruned: Network, validation: Subset) -> Step:
    """A step of the curve of `unpruned`, but for what it is later held against: no loss, and no time, so far."""
    log_probabilities = predict(padded(made.network, unpruned), validation)
    right = before = accuracy(log_probabilities, validation)
    if made.cut is not made.network:
        before = accuracy(predict(padded(made.cut, unpruned), validation), validation)
    clip = validation.logmel.shape[1:]
    whole, now, channels = cost(unpruned, *clip), cost(made.network, *clip), count_gammas(unpruned)
    gone = channels - count_gammas(made.network)
    return Step(
        step=made.step,
        channels_removed=gone,
        channel_rate=gone / channels,
        parameter_rate=1 - now.parameters / whole.parameters,
        masked_rate=1 - masked_parameters(unpruned, widths_of(made.network)) / whole.parameters,
        parameters=now.parameters,
        macs=now.macs,
        accuracy_before_finetuning=before,
        accuracy=right,
        accuracy_loss=0.0,
        network=made.network,
        log_probabilities=log_probabilities.cpu(),
        seconds=0.0,
    )


def finetune(
    network: Network, plan: Plan, step: int, state: State | None = None, unpruned: Network | None = None
) -> Network:
    """A repaired copy of the `network` of a step, cut from `unpruned`, which learns in round numbers of channels
    (see `padding`).

    Step 0 is the trained network itself, repaired without being cut: the control. Raises `Failure`.
    """
    network, finetuning, told = copy.deepcopy(network), plan.finetuning, plan.method.context
    alpha = 1.0 if finetuning.settings is None else finetuning.rescaling
    rescale(network, alpha)
    learner = padded(network, unpruned)
    if finetuning.settings is not None:
        penalty = finetuning.penalty.priced_by(network, *told.train.logmel.shape[1:])
        known = {"seed": told.seed, "purpose": (told.name, "finetuning", step), "state": state}
        for epoch in fit(learner, told.train, finetuning.settings, penalty, **known):
            log.info("fine-tuning epoch %d: loss %.4f", epoch.epoch, epoch.loss_train)
    if finetuning.recalibrate:
        # Seeded for networks that draw random numbers, as dropout does.
        with enough_memory("for new running statistics"), seeded(told.seed, told.name, "statistics", step):
            recalibrate(learner, told.train)
    tuned = trimmed(learner, network)
    rescale(tuned, 1 / alpha)
    return tuned
