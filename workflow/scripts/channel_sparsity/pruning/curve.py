"""The pruning curve of one trained network: a few channels at a time, fine-tuning, measuring (section 3.3)."""

import copy
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from channel_sparsity.networks import gammas_of, widths_of
from channel_sparsity.networks.cost import cost, masked_parameters
from channel_sparsity.pruning.ista import rescale
from channel_sparsity.pruning.methods import Method
from channel_sparsity.pruning.padding import padded, trimmed
from channel_sparsity.pruning.selection import sizes_of
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import Diverged, Recipe, accuracy, fit, predict
from channel_sparsity.training.penalty import Penalty

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How far each step goes and what follows it.

    `step`: the share of channels that goes in a step, `step_of` the ``original`` or the ``remaining`` ones (R16), up to
    `highest_rate`. `finetuning`: ``each`` step goes on from the fine-tuned network of the one before; ``once`` cuts the
    trained network to each rate directly, then fine-tunes; ``none`` (R17).
    """

    step: float
    step_of: str
    highest_rate: float
    finetuning: str

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
    """How a cut network is fine-tuned: with a fresh optimiser, by `recipe`, under `penalty` (R17, R23).

    `rescaling`: Ye et al.'s alpha. Gammas and betas are multiplied and the weights that read them divided by it before,
    and the other way round afterwards.
    """

    recipe: Recipe
    penalty: Penalty
    rescaling: float = 1.0


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
) -> Iterator[Step]:
    """Yield step 0, the network as it is, and then each step of its pruning curve.

    Fine-tuning runs on the cut network, so each step costs less than the one before; the order of clips in it depends
    on (`seed`, `name`, step) alone. The curve ends early where every layer is down to its last channel (R18), or where
    fine-tuning diverges: a knee beyond that is censored.
    """
    bands, frames = train.logmel.shape[1:]
    unpruned, trained = cost(network, bands, frames), network
    channels = sum(len(gamma) for gamma in gammas_of(network).values())

    def measure(number: int, network: torch.nn.Module, before: float | None, started: float) -> Step:
        log_probabilities = predict(padded(network), validation)
        reached = accuracy(log_probabilities, validation)
        remaining = sum(len(gamma) for gamma in gammas_of(network).values())
        now = cost(network, bands, frames)
        return Step(
            step=number,
            channels_removed=channels - remaining,
            channel_rate=(channels - remaining) / channels,
            parameter_rate=1 - now.parameters / unpruned.parameters,
            masked_rate=1 - masked_parameters(trained, widths_of(network)) / unpruned.parameters,
            parameters=now.parameters,
            macs=now.macs,
            accuracy_before_finetuning=reached if before is None else before,
            accuracy=reached,
            accuracy_loss=first.accuracy - reached if number else 0.0,
            network=network,
            log_probabilities=log_probabilities,
            seconds=time.perf_counter() - started,
        )

    first = last = measure(0, network, None, time.perf_counter())
    yield first
    most = channels - sum(sizes_of(network).values())
    for number, count in enumerate(schedule.counts(channels), start=1):
        if last.channels_removed == most:
            log.info("the curve ends: every layer is down to its last channel")
            return
        started = time.perf_counter()
        source = trained if schedule.finetuning == "once" else last.network
        gone = channels - sum(len(gamma) for gamma in gammas_of(source).values())
        pruned = method.prune(source, number, count - gone)
        before = None
        if schedule.finetuning != "none":
            before = accuracy(predict(padded(pruned), validation), validation)
            try:
                pruned = finetune(pruned, finetuning, train, seed=seed, purpose=(name, "finetuning", number))
            except Diverged as error:
                log.warning("the curve ends: fine-tuning of step %d diverged: %s", number, error)
                return
        last = measure(number, pruned, before, started)
        log.info(
            "step %d: %.1f %% of the channels gone, accuracy %.1f %% (%.1f %% before fine-tuning), %.1f s",
            number,
            100 * last.channel_rate,
            100 * last.accuracy,
            100 * last.accuracy_before_finetuning,
            last.seconds,
        )
        yield last


def finetune(
    network: torch.nn.Module,
    finetuning: Finetuning,
    train: Subset,
    *,
    seed: int,
    purpose: tuple[str | int, ...],
) -> torch.nn.Module:
    """A fine-tuned copy of `network`, which learns in round numbers of channels (see `padding`)."""
    network = copy.deepcopy(network)
    rescale(network, finetuning.rescaling)
    learner = padded(network)
    penalty = finetuning.penalty.options(learner, *train.logmel.shape[1:], priced=network)
    for epoch in fit(learner, train, finetuning.recipe, seed=seed, purpose=purpose, **penalty):
        log.info("fine-tuning epoch %d: loss %.4f", epoch.epoch, epoch.loss_train)
    tuned = trimmed(learner, network)
    rescale(tuned, 1 / finetuning.rescaling)
    return tuned


def widths_rows(step: Step) -> list[dict]:
    """The rows of widths.csv of one step: step, layer (channels that live and die together), channels."""
    return [{"step": step.step, "layer": layer, "channels": width} for layer, width in widths_of(step.network).items()]
