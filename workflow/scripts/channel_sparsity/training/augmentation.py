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


def draw_partners(clips: int, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw Mixup's partner [n] of each clip of a batch and their one weight, on the CPU, by torch's global generator.

    The weight is folded into [0.5, 1]: a batch blended w : 1 - w with a random order is in distribution the same as one
    blended 1 - w : w, and the first label is then the clip's own. Without Mixup each clip is its own partner.
    """
    if alpha == 0:
        return torch.arange(clips), torch.ones(())
    drawn = torch.distributions.Beta(alpha, alpha).sample()
    return torch.randperm(clips), torch.maximum(drawn, 1 - drawn)


def mixup(features: torch.Tensor, labels: torch.Tensor, partner: torch.Tensor, weight: torch.Tensor) -> Mixed:
    """Blend each clip with its partner in the batch (Zhang et al. 2018), by one weight a batch."""
    return Mixed(torch.lerp(features[partner], features, weight), labels, labels[partner], weight)


def mask(features: torch.Tensor, settings: Augmentation) -> torch.Tensor:
    """One frequency and one time mask a clip (SpecAugment, Park et al. 2019), filled with 0, the training mean.

    Draws from torch's global generator of the features' device, which a job seeds anew for each epoch.
    """
    time_mask_frames = round(settings.time_mask_share * features.shape[3])
    masked = mask_along_axis_iid(features, settings.frequency_mask_bands, 0.0, axis=2)
    return mask_along_axis_iid(masked, time_mask_frames, 0.0, axis=3)
