"""What Ye et al. 2018 do to gammas (R23): shrink them by a threshold, and rescale them while a network learns."""

from collections.abc import Mapping

import torch

from channel_sparsity.networks.channels import Network


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
