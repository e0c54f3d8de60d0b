"""Ye et al. 2018, "Rethinking the smaller-norm-less-informative assumption", as a way to prune (R23).

A gamma is weighed against the memory that its channel costs. A threshold rises, for each layer in proportion to that
cost, until as many gammas are under it as shall go.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs


def scores(network: Network, bands: int, frames: int) -> dict[str, Tensor]:
    """|gamma| / cost of every channel, [channels] per prunable set in the order of the layers.

    It is the eta at which eta x cost reaches |gamma|, so taking the weakest raises the threshold until exactly as many
    gammas are under it as shall go. Of two gammas of a depthwise pair the first that is reached counts.
    """
    costs = channel_costs(network, bands, frames)
    return {
        channels.name: torch.stack(
            [network.get_submodule(norm).weight.detach().abs() / costs[norm] for norm in channels.norms]
        ).amin(0)
        for channels in network.channels
    }


def shrink(network: Network, thresholds: Mapping[str, float]) -> None:
    """Soft-threshold, in place, the gammas that stay behind when those under `thresholds` [per normalisation] went.

    A gamma under its threshold stays as it is: it is there only because its layer may not be emptied (R18).
    """
    with torch.no_grad():
        for norm, threshold in thresholds.items():
            gamma = network.get_submodule(norm).weight
            gamma.copy_(torch.where(gamma.abs() > threshold, gamma - gamma.sign() * threshold, gamma))


def rescale(network: Network, alpha: float) -> None:
    """Multiply gamma and beta by `alpha` > 0, and divide by it the weights that read the channel, in place.

    ReLU and pooling pass the factor on, so the network computes what it did before; but a threshold of the same size
    now takes 1 / alpha times as large a share of a gamma. `rescale(network, 1 / alpha)` takes it back.
    """
    with torch.no_grad():
        for channels in network.channels:
            for norm in map(network.get_submodule, channels.norms):
                norm.weight *= alpha
                norm.bias *= alpha
            for module in (*channels.carriers, *channels.consumers):
                network.get_submodule(module).weight /= alpha
