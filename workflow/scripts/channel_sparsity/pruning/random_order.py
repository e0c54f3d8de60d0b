"""The control: channels go in a random order, whatever training made of them."""

import torch
from torch import Tensor

from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network


def scores(network: Network, seed: int) -> dict[str, Tensor]:
    """Uniform scores [channels] per set, in the order of the layers; `seed` and the widths alone decide."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(width, generator=generator) for name, width in widths_of(network).items()}
