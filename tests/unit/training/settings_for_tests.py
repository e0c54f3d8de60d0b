"""A short training, of which tests change what they are about."""

from channel_sparsity.training.augmentation import Augmentation
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
