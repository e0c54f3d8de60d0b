"""The running statistics of a network's normalisations, taken anew (R17)."""

import torch

from channel_sparsity.training.features import Subset, in_batches


def recalibrate(network: torch.nn.Module, clips: Subset) -> None:
    """Set running means and variances, in place, to the mean over batches of all clips, without augmentation.

    While a network learns they follow the latest batches: after a few steps they still hold a share of what they were
    before the cut.
    """
    torch.optim.swa_utils.update_bn((clips.batch(which)[0] for which in in_batches(clips)), network)
