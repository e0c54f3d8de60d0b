"""The control: channels go in a random order, whatever training made of them."""

import torch
from torch import Tensor

from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.context import Context
from channel_sparsity.seeds import derive


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """Uniform scores [channels] per set, in the order of the layers: others at each step, the same for every lambda."""
    generator = torch.Generator().manual_seed(derive(context.seed, context.name, "random order", context.step))
    return {name: torch.rand(width, generator=generator) for name, width in widths_of(network).items()}
