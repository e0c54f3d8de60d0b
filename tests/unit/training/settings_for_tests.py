"""A short training, of which tests change what they are about, and clips for it."""

import numpy

from channel_sparsity.training.augmentation import Augmentation
from channel_sparsity.training.features import Subset
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings

SHORT = TrainingSettings(
    epochs=2,
    batch_size=8,
    optimiser="sgd",
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-4,
    decay_gammas=True,
    schedule="linear",
    decay_at=(),
    decay_factor=0.1,
    warmup_epochs=0,
    clip_gammas=None,
    clip_norm=None,
    precision="float32",
    compile=False,
    augmentation=Augmentation(0.4, 4, 0.1),
)

#: Leaves all gammas to the loss.
NO_PENALTY = Penalty("none", 0.0)


class Killed(BaseException):
    """What stands for a kill: nothing in the code catches it."""


def clips_of_levels(train, validation=0, classes=2, step=10):
    """Clips of classes that differ in level: so many to train on, and for validation."""
    labels = numpy.arange(train + validation) % classes
    logmel = numpy.random.default_rng(1).normal(-40, 5, (len(labels), 40, 32)) + step * labels[:, None, None]
    return tuple(
        Subset.of(logmel.astype(numpy.float32), rows, labels[rows], [-35.0] * 40, [7.0] * 40)
        for rows in numpy.split(numpy.arange(len(labels)), [train])
    )
