"""The running statistics of a network's normalisations, taken anew (R17)."""

import math

import torch

from channel_sparsity.training.features import Subset


def recalibrate(network: torch.nn.Module, clips: Subset, batch_size: int = 128) -> None:
    """Set running means and variances, in place, to the mean over batches of all clips, without augmentation.

    While a network learns they follow the latest batches: after a few steps they still hold a share of what they were
    before the cut.
    """
    batches = torch.arange(len(clips), device=clips.rows.device).tensor_split(math.ceil(len(clips) / batch_size))
    torch.optim.swa_utils.update_bn((clips.batch(which)[0] for which in batches), network)
