"""Liu et al. 2017, Network Slimming: a channel is worth the size of its gamma (section 3.3, R15)."""

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.context import Context

TIED = {"min": torch.amin, "mean": torch.mean, "max": torch.amax}
"""How the gammas of one channel of a depthwise pair make one score (R12)."""


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """|gamma| of every channel, [channels] per prunable set in the order of the layers.

    `tied_gammas` of the recipe: a key of TIED, for channels with two gammas. `signed_gammas`: gamma itself, so that
    negative ones go first.
    """
    found = {}
    for channels in network.channels:
        gammas = torch.stack([network.get_submodule(norm).weight.detach() for norm in channels.norms])
        worth = gammas if context.recipe["signed_gammas"] else gammas.abs()
        found[channels.name] = TIED[context.recipe["tied_gammas"]](worth, dim=0)
    return found
