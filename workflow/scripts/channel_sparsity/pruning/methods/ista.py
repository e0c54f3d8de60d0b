"""Ye et al. 2018, "Rethinking the smaller-norm-less-informative assumption", as a way to prune (R23).

A gamma is weighed against the memory that its channel costs. A threshold rises, for each layer in proportion to that
cost, until as many gammas are under it as shall go.
"""

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.pruning.context import Context


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """|gamma| / cost of every channel, [channels] per prunable set in the order of the layers.

    It is the eta at which eta x cost reaches |gamma|, so taking the weakest raises the threshold until exactly as many
    gammas are under it as shall go. Of two gammas of a depthwise pair the first that is reached counts.
    """
    costs = channel_costs(network, context.bands, context.frames)
    return {
        channels.name: torch.stack(
            [network.get_submodule(norm).weight.detach().abs() / costs[norm] for norm in channels.norms]
        ).amin(0)
        for channels in network.channels
    }
