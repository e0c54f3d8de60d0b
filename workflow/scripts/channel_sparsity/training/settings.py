"""How a network is trained or fine-tuned: its settings, its learning rate over time, its optimiser."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch

from channel_sparsity.training.augmentation import Augmentation


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained or fine-tuned.

    `optimiser`: ``sgd`` or ``adam`` (R6). `schedule` of the learning rate: ``steps`` (times `decay_factor` at each of
    `decay_at`, shares of the epochs; R7), ``linear`` (falling to 0 at the end, step by step; R17) or ``constant``.
    `warmup_epochs`: the rate first grows linearly over these. `decay_gammas`: whether weight decay acts on BN's gammas
    and betas too. `clip_gammas`: bounds the loss's gradient of each single gamma (R12), `clip_norm` then the norm of
    the whole; None leaves them. `precision` of what a network computes while it learns: ``float32``, or ``bfloat16``
    by PyTorch's automatic mixed precision (weights and evaluation stay single; a GPU convolves in TF32). `compile`:
    whether batches of full size are learnt by code that PyTorch's compiler made for the network.
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
    precision: str
    compile: bool
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


def make_optimiser(network: torch.nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """SGD or Adam over two groups of parameters, with weight decay and (R7) perhaps without."""
    norms = [p for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in m.parameters()]
    exempt = set() if settings.decay_gammas else set(norms)
    groups = [
        {"params": [p for p in network.parameters() if p not in exempt], "weight_decay": settings.weight_decay},
        {"params": [p for p in network.parameters() if p in exempt], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.optimiser == "adam":
        # The paper's "momentum 0.9" read as Adam's beta1. Fused, since the other form takes its square root from MKL,
        # whose last bit depends on the processor in any arithmetic.
        on_gpu = any(parameter.is_cuda for parameter in network.parameters())
        adam = _without_compiler(torch.optim.Adam)
        return adam(groups, lr=settings.learning_rate, betas=(settings.momentum, 0.999), capturable=on_gpu, fused=True)
    sgd = _without_compiler(torch.optim.SGD)
    return sgd(groups, lr=settings.learning_rate, momentum=settings.momentum, fused=True)


def _without_compiler(optimiser: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """An optimiser that does not import PyTorch's compiler, which takes every job a second. No optimiser is compiled.

    PyTorch wraps some methods so that compiled code leaves them alone; what is wrapped stays as it is.
    """
    wrapped = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    bare = {name: getattr(optimiser, name).__wrapped__ for name in wrapped}
    return type(optimiser.__name__, (optimiser,), bare | {"step": torch.no_grad()(optimiser.step.__wrapped__)})


def training_settings(settings: Mapping) -> TrainingSettings:
    """The settings that the configuration's `training` describes."""
    augmentation = Augmentation(**{field.name: settings[field.name] for field in fields(Augmentation)})
    names = {field.name for field in fields(TrainingSettings)} - {"augmentation", "decay_at"}
    own = {name: settings[name] for name in names}
    return TrainingSettings(**own, decay_at=tuple(settings["decay_at"]), augmentation=augmentation)


def finetuning_settings(training: Mapping, finetuning: Mapping) -> TrainingSettings:
    """The settings of fine-tuning: those of `training`, but for what `finetuning` sets (null sets nothing).

    Nothing is compiled: each step has a network of its own, for a few updates.
    """
    changes = {key: value for key, value in finetuning.items() if key != "when" and value is not None}
    return training_settings({**training, **changes, "compile": False})
