"""Sparse training (Eq. 3) and fine-tuning: one loop for both."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

import torch

from channel_sparsity.networks import gammas_of
from channel_sparsity.seeds import derive
from channel_sparsity.training.augmentation import Augmentation, augment
from channel_sparsity.training.features import Subset
from channel_sparsity.training.penalty import add_subgradient
from channel_sparsity.training.state import State


@dataclass(frozen=True)
class Recipe:
    """How a network is trained or fine-tuned.

    `optimiser`: ``sgd`` or ``adam`` (R6). `schedule` of the learning rate: ``steps`` (times `decay_factor` at each of
    `decay_at`, shares of the epochs; R7), ``linear`` (falling to 0 at the end, step by step; R17) or ``constant``.
    `warmup_epochs`: the rate first grows linearly over these. `decay_gammas`: whether weight decay acts on BN's gammas
    and betas too. `clip_gammas`: bounds the loss's gradient of each single gamma (R12), `clip_norm` then the norm of
    the whole; None leaves them.
    """

    epochs: int
    batch_size: int
    optimiser: str
    learning_rate: float
    momentum: float
    weight_decay: float
    decay_gammas: bool
    schedule: str
    decay_at: tuple[float, ...]
    decay_factor: float
    warmup_epochs: int
    clip_gammas: float | None
    clip_norm: float | None
    augmentation: Augmentation

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """The learning rate of one step: `step` of the `steps` of epoch `epoch`, all counted from 0."""
        done = epoch + step / steps
        if done < self.warmup_epochs:
            return self.learning_rate * (epoch * steps + step + 1) / (self.warmup_epochs * steps)
        if self.schedule == "steps":
            passed = sum(epoch >= round(share * self.epochs) for share in self.decay_at)
            return self.learning_rate * self.decay_factor**passed
        if self.schedule == "linear":
            return self.learning_rate * (self.epochs - done) / (self.epochs - self.warmup_epochs)
        return self.learning_rate

    def sum_of_rates(self, clips: int) -> float:
        """The learning rates of all steps, summed; times lambda it is the shrinkage of a gamma (R10).

        A yardstick: under momentum mu the penalty pulls 1 / (1 - mu) times as far.
        """
        steps = math.ceil(clips / self.batch_size)
        return math.fsum(self.rate(e, s, steps) for e in range(self.epochs) for s in range(steps))


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


class Failure(Exception):
    """A training that cannot be gone on with; `status` is what ``metrics.json`` calls it."""

    status: str


class Diverged(Failure):
    """The training loss, or a weight at the end, is not finite."""

    status = "diverged"


class OutOfMemory(Failure):
    """The accelerator's memory does not suffice."""

    status = "out_of_memory"


def make_optimiser(network: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD or Adam over two groups of parameters, with weight decay and (R7) perhaps without."""
    norms = [p for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in m.parameters()]
    exempt = set() if recipe.decay_gammas else set(norms)
    groups = [
        {"params": [p for p in network.parameters() if p not in exempt], "weight_decay": recipe.weight_decay},
        {"params": [p for p in network.parameters() if p in exempt], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimiser == "adam":
        # The paper's "momentum 0.9" read as Adam's beta1.
        return torch.optim.Adam(groups, lr=recipe.learning_rate, betas=(recipe.momentum, 0.999))
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, fused=True)


@contextmanager
def seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Torch's generators seeded for one purpose, and left afterwards as they were before."""
    with torch.random.fork_rng():  # every generator there is, also those of GPUs
        torch.manual_seed(derive(seed, *purpose))
        yield


def fit(
    network: torch.nn.Module,
    train: Subset,
    recipe: Recipe,
    *,
    lam: float,
    seed: int,
    purpose: tuple[str | int, ...],
    validation: Subset | None = None,
    after_step: Callable[[float], None] | None = None,
    state: State | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place by `recipe` with lambda * L1 on its gammas; yield an `Epoch` after each epoch.

    All randomness of an epoch comes from (`seed`, `purpose`, epoch). `after_step` is called with the learning rate
    after each update (for a proximal step, say). Without `validation` nothing is evaluated and the
    validation figures are NaN. Where `state` knows how far a run with this `purpose` came, that run's epochs are
    yielded again and training goes on behind them, to the same bits; it is kept there after each epoch. Raises
    `Diverged` at the end of an epoch whose loss was not finite, or if a weight is not finite at the end, and
    `OutOfMemory`.
    """
    optimiser = make_optimiser(network, recipe)
    part = "/".join(map(str, purpose))
    history = [] if state is None else _resume(state, part, network, optimiser)
    yield from history
    for epoch in range(len(history), recipe.epochs):
        loss_validation, accuracy_validation = math.nan, math.nan
        try:
            with seeded(seed, *purpose, "epoch", epoch):
                rate, loss_train, accuracy_train = _learn(network, optimiser, train, recipe, epoch, lam, after_step)
            if validation is not None:
                log_probabilities = predict(network, validation)
                loss_validation = torch.nn.functional.nll_loss(log_probabilities, validation.labels).item()
                accuracy_validation = accuracy(log_probabilities, validation)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"the accelerator's memory did not suffice in epoch {epoch + 1}") from error
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


def _learn(
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    train: Subset,
    recipe: Recipe,
    epoch: int,
    lam: float,
    after_step: Callable[[float], None] | None,
) -> tuple[float, float, float]:
    """One pass over the clips, epoch `epoch` from 0; its last learning rate, its mean loss and its accuracy."""
    network.train()
    gammas = list(gammas_of(network).values())
    steps = math.ceil(len(train) / recipe.batch_size)
    order = torch.randperm(len(train)).to(train.rows.device)
    # Sums stay tensors: reading them at every step would make a GPU wait.
    loss_sum = torch.zeros((), device=order.device)
    correct = torch.zeros((), dtype=torch.int64, device=order.device)
    for step, which in enumerate(order.split(recipe.batch_size)):
        rate = recipe.rate(epoch, step, steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = augment(*train.batch(which), recipe.augmentation)
        logits = network(batch.features)
        loss = batch.loss(logits)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # The bounds are on the loss's gradient alone: lambda pulls equally hard at every step (R10).
        if recipe.clip_gammas is not None:
            torch.nn.utils.clip_grad_value_(gammas, recipe.clip_gammas, foreach=True)
        if recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm, foreach=True)
        add_subgradient(gammas, lam)
        optimiser.step()
        if after_step is not None:
            after_step(rate)
        loss_sum += loss.detach() * len(which)
        correct += (logits.detach().argmax(1) == batch.labels).sum()
    return rate, loss_sum.item() / len(train), correct.item() / len(train)


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
def predict(network: torch.nn.Module, clips: Subset, batch_size: int = 128) -> torch.Tensor:
    """Log-probabilities [n, classes] of all clips of a subset, with BN's running statistics."""
    network.eval()
    batches = torch.arange(len(clips), device=clips.rows.device).split(batch_size)
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


def recipe_of(settings: Mapping) -> Recipe:
    """The recipe that the configuration's `training` describes."""
    augmentation = Augmentation(**{field.name: settings[field.name] for field in fields(Augmentation)})
    names = {field.name for field in fields(Recipe)} - {"augmentation", "decay_at"}
    own = {name: settings[name] for name in names}
    return Recipe(**own, decay_at=tuple(settings["decay_at"]), augmentation=augmentation)


def finetuning_recipe(training: Mapping, finetuning: Mapping) -> Recipe:
    """The recipe of fine-tuning: the configuration's `training`, but for what `finetuning` sets (null sets nothing)."""
    changes = {key: value for key, value in finetuning.items() if key != "when" and value is not None}
    return recipe_of({**training, **changes})
