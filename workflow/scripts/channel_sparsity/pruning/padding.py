"""Cut networks in round numbers of channels, which a processor computes faster, with dead channels to fill up."""

import math

import torch
from torch import Tensor

from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Channels, Network, Select
from channel_sparsity.pruning.surgery import N, cut

MULTIPLE = 8
"""Single-precision numbers in a vector register of 256 bits: measured faster than 4 and 16."""

IN_QUARTERS = ("cuda",)
"""Kinds of device on which channels that pass through a depthwise convolution go by quarters of their layer.

A GPU plans each new shape of a convolution: seconds a step of a MobileNet's curve (docs/how-to/gpu.md)."""


def padded(network: N, unpruned: Network | None = None) -> N:
    """A copy in channels-last memory whose numbers of channels are rounded up: to a multiple of `MULTIPLE`, or
    `IN_QUARTERS` of the widths of `unpruned`, from which the network was cut (None: from none).

    Where channels are selected from a residual stream, all of them are taken: selecting would take longer. The copy
    computes what `network` computes, and learns what it would learn, up to rounding: gammas, betas and weights of the
    channels added are zero, and stay so, since (behind the ReLU that follows every normalisation) neither an input nor
    a gradient reaches them.
    """
    state = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}
    widths, whole = {}, widths_of(unpruned or network)
    for channels in network.channels:
        places, widths[channels.name] = _places(network, channels), _width(network, channels, whole[channels.name])
        for key, dimension in network.slices(channels):
            state[key] = _spread(state[key], dimension, places, widths[channels.name])
        for module in channels.producers:
            if isinstance(network.get_submodule(module), Select):
                state[f"{module}.index"] = torch.arange(widths[channels.name], device=places.device)

    larger = network.unfilled(widths)
    larger.load_state_dict(state, assign=True)
    return larger.train(network.training).to(memory_format=torch.channels_last)


def trimmed(network: N, like: Network) -> N:
    """A padded network without the channels that `like`, of which it is the copy, does not have."""
    return cut(network, {channels.name: _places(like, channels) for channels in like.channels})


def _width(network: Network, channels: Channels, whole: int) -> int:
    """How many channels the padded network has, where the unpruned one has `whole`."""
    for module in map(network.get_submodule, channels.producers):
        if isinstance(module, Select):
            return module.inputs
    gamma = network.get_submodule(channels.name).weight
    quarter = whole / 4 if channels.carriers and gamma.device.type in IN_QUARTERS else 0
    least = quarter * math.ceil(len(gamma) / quarter) if quarter else len(gamma)
    return math.ceil(least / MULTIPLE) * MULTIPLE


def _places(network: Network, channels: Channels) -> Tensor:
    """Which of the padded network's channels are the network's own."""
    for module in map(network.get_submodule, channels.producers):
        if isinstance(module, Select):
            return module.index
    gamma = network.get_submodule(channels.name).weight
    return torch.arange(len(gamma), device=gamma.device)


def _spread(tensor: Tensor, dimension: int, places: Tensor, size: int) -> Tensor:
    """A tensor with zeros in all but these places of a dimension."""
    shape = list(tensor.shape)
    shape[dimension] = size
    return tensor.new_zeros(shape).index_copy(dimension, places, tensor)
