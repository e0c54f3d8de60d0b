"""Small networks as pruning leaves them: trained-like, and cut to widths that differ from layer to layer."""

import pytest
import torch
from torch import nn

from channel_sparsity.networks import build
from channel_sparsity.pruning.surgery import cut


def _pruned(name, scale=0.1, classes=3, seed=5):
    """A network with statistics unlike those of a fresh one, without about half of its channels."""
    torch.manual_seed(seed)
    network = build(name, classes, scale).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    keep = {}
    for place, channels in enumerate(network.channels):
        count = len(network.get_submodule(channels.name).weight)
        keep[channels.name] = torch.randperm(count)[: max(1, count * (3 + place % 4) // 8)].sort().values
    return cut(network, keep).eval()


@pytest.fixture(scope="session")
def pruned():
    return _pruned
