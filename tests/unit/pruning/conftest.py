"""Networks as unlike fresh ones as training could make them, copies with channels silenced, and clips to learn from."""

import copy

import pytest
import torch
from settings_for_tests import clips_of_levels
from torch import nn

from channel_sparsity.networks import build, gammas_of


def _trained(name, scale, seed=11):
    """A network of 5 classes with gammas of both signs, betas that are not zero, and statistics to match."""
    torch.manual_seed(seed)
    network = build(name, 5, scale).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network


def _silenced(network, keep, *, beta):
    """A copy with gamma = 0 in every channel that is not kept; `beta`: whether beta is kept there."""
    network = copy.deepcopy(network)
    for channels in network.channels:
        for norm in map(network.get_submodule, channels.norms):
            mask = torch.zeros_like(norm.weight)
            mask[keep[channels.name]] = 1
            norm.weight.data *= mask
            if not beta:
                norm.bias.data *= mask
    return network


@pytest.fixture(scope="session")
def trained():
    return _trained


@pytest.fixture(scope="session")
def silenced():
    return _silenced


@pytest.fixture
def clips():
    torch.set_num_threads(1)
    return clips_of_levels(12, 8, step=6)


@pytest.fixture
def network():
    """A VGG whose gammas are all different."""
    torch.manual_seed(1)
    network = build("vgg11", 2, 0.05)
    for gamma in gammas_of(network).values():
        torch.nn.init.uniform_(gamma, 0.1, 1)
    return network
