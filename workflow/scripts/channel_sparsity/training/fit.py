"""Sparse training (Eq. 3) and fine-tuning: one loop for both."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import torch

from channel_sparsity.files import StudyError
from channel_sparsity.seeds import derive
from channel_sparsity.training.features import Subset
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings, make_optimiser
from channel_sparsity.training.state import State
from channel_sparsity.training.updates import Updates


@dataclass(frozen=True)
class Epoch:
    """One row of history.csv. Losses are mean cross-entropies in nats, accuracies fractions of clips.

    Training figures are of the augmented clips as the network met them, a blended clip counting as its heavier part.
    """

    epoch: int
    learning_rate: float
    loss_train: float
    loss_validation: float
    accuracy_train: float
    accuracy_validation: float


class Failure(StudyError):
    """A training that cannot be gone on with; `status` is what ``metrics.json`` calls it."""

    status: str


class Diverged(Failure):
    """The training loss, or a weight at the end, is not finite."""

    status = "diverged"


class OutOfMemory(Failure):
    """The GPU's memory does not suffice."""

    status = "out_of_memory"


@contextmanager
def enough_memory(doing: str) -> Iterator[None]:
    """Raise `OutOfMemory`, with what was done, where PyTorch, cuBLAS or cuDNN runs out of the GPU's memory."""
    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, torch.OutOfMemoryError) or "STATUS_ALLOC_FAILED" in str(error)):
            raise
        advice = "let fewer jobs share the GPU (--resources gpu=1), or use one with more memory"
        raise OutOfMemory(f"the GPU's memory did not suffice {doing}: {advice}") from error


@contextmanager
def seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Torch's generators seeded for one purpose, and left afterwards as they were before."""
    # A job on a CPU leaves GPUs alone: to read their generators would start CUDA on each of them.
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(derive(seed, *purpose))
        yield


def fit(
    network: torch.nn.Module,
    train: Subset,
    settings: TrainingSettings,
    penalty: Penalty,
    *,
    seed: int,
    purpose: tuple[str | int, ...],
    validation: Subset | None = None,
    state: State | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place by `settings`, under a `penalty` on its gammas; yield an `Epoch` after each epoch.

    All randomness of an epoch comes from (`seed`, `purpose`, epoch). Without `validation` nothing is evaluated and the
    validation figures are NaN. Where `state` knows how far a run with this `purpose` came, that run's epochs are
    yielded again and training goes on behind them, to the same bits; it is kept there after each epoch. Raises
    `Diverged` at the end of an epoch whose loss was not finite, or if a weight is not finite at the end, and
    `OutOfMemory`.
    """
    optimiser = make_optimiser(network, settings)
    pull = penalty.on(network, *train.logmel.shape[1:])
    update = Updates(network, train, settings, optimiser, pull)
    steps = math.ceil(len(train) / settings.batch_size)
    part = "/".join(map(str, purpose))
    history = [] if state is None else _resume(state, part, network, optimiser)
    yield from history
    for epoch in range(len(history), settings.epochs):
        loss_validation, accuracy_validation = math.nan, math.nan
        with enough_memory(f"in epoch {epoch + 1}"):
            network.train()
            with seeded(seed, *purpose, "epoch", epoch):
                order = torch.randperm(len(train)).to(train.rows.device)
                for step, which in enumerate(order.split(settings.batch_size)):
                    rate = settings.rate(epoch, step, steps)
                    update(which, rate)
            loss_train, accuracy_train = update.averages()
            if validation is not None:
                log_probabilities = predict(network, validation)
                loss_validation = torch.nn.functional.nll_loss(log_probabilities, validation.labels).item()
                accuracy_validation = accuracy(log_probabilities, validation)
        row = Epoch(epoch + 1, rate, loss_train, loss_validation, accuracy_train, accuracy_validation)
        yield row
        if not math.isfinite(loss_train):
            raise Diverged(f"the training loss was {loss_train} in epoch {row.epoch}")
        history.append(row)
        if state is not None:
            _keep(state, part, network, optimiser, history)
    # The loss is that of before each update, so the last one can still have gone astray.
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise Diverged("the weights were not finite after the last step")


def _keep(
    state: State, part: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer, history: list[Epoch]
) -> None:
    """Note what the next epoch goes on from: weights and BN's statistics, the optimiser's, and the epochs so far."""
    tensors = {f"network.{key}": tensor for key, tensor in network.state_dict().items()}
    for number, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{key}": tensor for key, tensor in values.items()}
    state.keep(part, {"history": [asdict(epoch) for epoch in history]}, tensors)


def _resume(state: State, part: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> list[Epoch]:
    """Put network and optimiser where `_keep` saw them; the epochs so far, none if nothing was kept."""
    kept = state.part(part)
    if kept is None:
        return []
    weights, moments = {}, {}
    for name, tensor in kept.tensors.items():
        kind, rest = name.split(".", 1)
        if kind == "network":
            weights[rest] = tensor
        else:
            number, key = rest.split(".")
            moments.setdefault(int(number), {})[key] = tensor
    network.load_state_dict(weights)
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
    return [Epoch(**row) for row in kept.values["history"]]


@torch.inference_mode()
def predict(network: torch.nn.Module, clips: Subset) -> torch.Tensor:
    """Log-probabilities [n, classes] of all clips of a subset, with BN's running statistics."""
    network.eval()
    batches = torch.arange(len(clips), device=clips.rows.device).split(128)
    with enough_memory("for predictions"):
        logits = [network(clips.batch(which)[0]) for which in batches]
    return torch.cat(logits).log_softmax(1)


def accuracy(log_probabilities: torch.Tensor, clips: Subset) -> float:
    """The fraction of clips whose most probable class is their own."""
    return (log_probabilities.argmax(1) == clips.labels).double().mean().item()


def per_scene(log_probabilities: torch.Tensor, clips: Subset, scenes: list[str]) -> dict[str, float | None]:
    """`accuracy` of the clips of each scene; None for a scene without a clip."""
    correct = log_probabilities.argmax(1) == clips.labels
    of_scene = [correct[clips.labels == label].double() for label in range(len(scenes))]
    return {scene: hits.mean().item() if len(hits) else None for scene, hits in zip(scenes, of_scene, strict=True)}


def only_answer(log_probabilities: torch.Tensor, scenes: list[str]) -> str | None:
    """The scene that all of several clips are taken for, where a network tells none of them apart; else None."""
    answers = log_probabilities.argmax(1).unique()
    return scenes[answers.item()] if len(answers) == 1 < len(log_probabilities) else None
