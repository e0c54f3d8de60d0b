"""Gammas against what their channels cost: our reading of Ye et al. 2018 as a way to prune (R23).

Ye et al. train until gammas are exactly zero, under a threshold that is for each layer in proportion to the memory that
a channel costs. Here the networks are trained already, so this threshold rises until as many gammas are under it as
shall go. The paper itself says of both methods "lowest values of scaling factors": that is the recipe ``ista-flat``.
"""

from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.pruning.context import Context, tied


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """|gamma| / cost of every channel, [channels] per prunable set in the order of the layers.

    It is the eta at which eta x cost reaches |gamma|, so taking the weakest raises the threshold until exactly as many
    gammas are under it as shall go. `tied_gammas` of the recipe: how a depthwise pair's two make one (R12).
    """
    costs = channel_costs(network, *context.train.logmel.shape[1:])
    return {
        channels.name: tied(
            [network.get_submodule(norm).weight.detach().abs() / costs[norm] for norm in channels.norms], context
        )
        for channels in network.channels
    }
