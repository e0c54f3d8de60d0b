"""Mixup and SpecAugment, as whole-batch operations (section 3.1 of the paper; R5)."""

from dataclasses import dataclass

import torch
from torchaudio.functional import mask_along_axis_iid


@dataclass(frozen=True)
class Augmentation:
    """How a training batch is disturbed.

    `mixup_alpha`: both parameters of Mixup's Beta distribution; 0 switches it off. `frequency_mask_bands`: the widest
    frequency mask. `time_mask_share`: the widest time mask as a share of the clip's frames.
    """

    mixup_alpha: float
    frequency_mask_bands: int
    time_mask_share: float


@dataclass(frozen=True)
class Mixed:
    """A batch in which clip i is `weight` times itself and (1 - weight) times its partner.

    `features` [n, 1, bands, frames]; `labels` and `partner_labels` [n]; `weight` a scalar in [0.5, 1].
    """

    features: torch.Tensor
    labels: torch.Tensor
    partner_labels: torch.Tensor
    weight: torch.Tensor

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Mixup's cross-entropy: the two labels' losses, weighted as the clips were, averaged over clips (R8)."""
        own = torch.nn.functional.cross_entropy(logits, self.labels)
        partner = torch.nn.functional.cross_entropy(logits, self.partner_labels)
        return self.weight * own + (1 - self.weight) * partner


def mixup(features: torch.Tensor, labels: torch.Tensor, alpha: float) -> Mixed:
    """Blend each clip with another of the batch (Zhang et al. 2018), one weight a batch.

    The weight is folded into [0.5, 1]: a batch blended w : 1 - w with a random order is in distribution the same as one
    blended 1 - w : w, and the first label is then the clip's own.
    """
    if alpha == 0:
        return Mixed(features, labels, labels, torch.ones((), device=features.device))
    drawn = torch.distributions.Beta(alpha, alpha).sample()
    weight = torch.maximum(drawn, 1 - drawn).to(features.device)
    partner = torch.randperm(len(features)).to(features.device)
    blended = torch.lerp(features[partner], features, weight)
    return Mixed(blended, labels, labels[partner], weight)


def augment(features: torch.Tensor, labels: torch.Tensor, settings: Augmentation) -> Mixed:
    """Mixup, then one frequency and one time mask a clip (Park et al. 2019), filled with 0, the training mean.

    Draws from torch's global generator, which a job seeds anew for each epoch.
    """
    mixed = mixup(features, labels, settings.mixup_alpha)
    time_mask_frames = round(settings.time_mask_share * features.shape[3])
    masked = mask_along_axis_iid(mixed.features, settings.frequency_mask_bands, 0.0, axis=2)
    masked = mask_along_axis_iid(masked, time_mask_frames, 0.0, axis=3)
    return Mixed(masked, mixed.labels, mixed.partner_labels, mixed.weight)
