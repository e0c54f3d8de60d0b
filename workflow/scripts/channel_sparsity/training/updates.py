"""One update of a network's weights: batch, augmentation, loss, gradient, bounds, penalty, optimiser (Eq. 3)."""

from operator import call

import torch

from channel_sparsity.networks import gammas_of
from channel_sparsity.training.augmentation import draw_partners, mask, mixup
from channel_sparsity.training.compiled import compiled
from channel_sparsity.training.features import Subset
from channel_sparsity.training.penalty import Pull
from channel_sparsity.training.replay import Replayed
from channel_sparsity.training.settings import TrainingSettings


class Updates:
    """Updates `network` in place, a batch a call.

    On a GPU the whole update is one CUDA graph: nothing in it may depend on a value that the CPU knows, so the learning
    rate is a tensor there, and what Mixup draws is handed in. `pull`: the penalty as it acts on this network.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        train: Subset,
        settings: TrainingSettings,
        optimiser: torch.optim.Optimizer,
        pull: Pull,
    ):
        self.network, self.train, self.settings, self.optimiser = network, train, settings, optimiser
        full = min(settings.batch_size, len(train))
        self._forward = compiled(network, full) if settings.compile else network
        self.pull = pull
        self.gammas = list(gammas_of(network).values())
        self.device = train.rows.device
        # Sums stay tensors: reading them at every step would make a GPU wait.
        self.clips = 0
        self.loss_sum = torch.zeros((), device=self.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=self.device)
        self.rate = torch.zeros((), device=self.device)
        # Not what updates this: in a circle of references all of it would outlive its training, until Python looks.
        self._run = Replayed() if self.device.type == "cuda" else call

    def __call__(self, which: torch.Tensor, rate: float) -> None:
        """Learn from the clips `which` [n] of the training subset at a learning rate."""
        partner, weight = draw_partners(len(which), self.settings.augmentation.mixup_alpha)
        self._set_rate(rate)
        drawn = (tensor.to(self.device, non_blocking=True) for tensor in (partner, weight))
        self._run(self._once, which, *drawn)
        self.clips += len(which)

    def averages(self) -> tuple[float, float]:
        """Mean loss (nats) and accuracy of the clips since this was last asked, as the network met them."""
        loss, accuracy = self.loss_sum.item() / self.clips, self.correct.item() / self.clips
        self.clips = 0
        self.loss_sum.zero_()
        self.correct.zero_()
        return loss, accuracy

    def _set_rate(self, rate: float) -> None:
        if self.device.type == "cuda":
            self.rate.fill_(rate)
        else:
            self.rate = rate
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate

    def _once(self, which: torch.Tensor, partner: torch.Tensor, weight: torch.Tensor) -> None:
        batch = mixup(*self.train.batch(which), partner, weight)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            logits = self._forward(mask(batch.features, self.settings.augmentation))
        loss = batch.loss(logits.float())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # The bounds are on the loss's gradient alone: lambda pulls equally hard at every step (R10).
        if self.settings.clip_gammas is not None:
            torch.nn.utils.clip_grad_value_(self.gammas, self.settings.clip_gammas, foreach=True)
        if self.settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm, foreach=True)
        self.pull.before_step()
        self.optimiser.step()
        self.pull.after_step(self.rate)
        self.loss_sum += loss.detach() * len(which)
        self.correct += (logits.detach().argmax(1) == batch.labels).sum()
