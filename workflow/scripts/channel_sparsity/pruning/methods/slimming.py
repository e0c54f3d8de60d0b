"""Liu et al. 2017, Network Slimming: a channel is worth the size of its gamma (section 3.3, R15)."""

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.context import Context, tied


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """|gamma| of every channel, [channels] per prunable set in the order of the layers.

    `tied_gammas` of the recipe: how the two gammas of a depthwise pair make one score (R12). `signed_gammas`: gamma
    itself, so that negative ones go first.
    """
    worth = torch.Tensor.clone if context.recipe["signed_gammas"] else torch.Tensor.abs
    return {
        channels.name: tied([worth(network.get_submodule(norm).weight.detach()) for norm in channels.norms], context)
        for channels in network.channels
    }
