"""Ye et al. 2018, "Rethinking the smaller-norm-less-informative assumption", in pieces (R23).

A gamma is weighed against the memory that its channel costs, thresholds shrink gammas towards zero, and the
constant that a channel with gamma = 0 still puts out, relu(beta), is absorbed by the layers behind it.
"""

import copy
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import output_areas

N = TypeVar("N", bound=Network)


def penalties(network: Network, bands: int, frames: int) -> dict[str, float]:
    """The penalty of a gamma of each normalisation, for clips of `bands` x `frames` (their Eq. 2, rho = 1).

    Values that exist because of one channel: its filter, the weights of the next layers that read it and its
    feature map, over the area of the network's input. A depthwise layer reads and makes one filter per
    channel; the normalisation of a residual stream has no filter of its own; the linear head reads one weight
    per class.
    """
    areas, found = output_areas(network, bands, frames), {}
    for channels in network.channels:
        made = _weights(network, channels.producers, 0)
        carried = _weights(network, channels.carriers, 0)
        read = _weights(network, channels.consumers, 1)
        weights = (made + carried, carried + read) if channels.carriers else (made + read,)
        for norm, count in zip(channels.norms, weights, strict=True):
            found[norm] = (count + areas[norm]) / (bands * frames)
    return found


def _weights(network: Network, modules: tuple[str, ...], dimension: int) -> int:
    """Weights of the modules that belong to a single output (dimension 0) or input (1) channel."""
    weights = [parameter for module in modules for parameter in network.get_submodule(module).parameters()]
    return sum(weight.select(dimension, 0).numel() for weight in weights if weight.ndim > 1)


def scores(network: Network, bands: int, frames: int) -> dict[str, Tensor]:
    """|gamma| / penalty of every channel, [channels] per prunable set in the order of the layers.

    It is the eta at which eta x penalty reaches |gamma|, so taking the weakest raises the threshold until
    exactly as many gammas are under it as shall go. Of two gammas of a depthwise pair the first that is
    reached counts.
    """
    penalty = penalties(network, bands, frames)
    return {
        channels.name: torch.stack(
            [network.get_submodule(norm).weight.detach().abs() / penalty[norm] for norm in channels.norms]
        ).amin(0)
        for channels in network.channels
    }


def absorb(network: N, keep: Mapping[str, Tensor]) -> N:
    """A copy of `network` that has absorbed what all channels but `keep` put out at gamma = 0.

    Such a channel is the constant relu(beta) everywhere. Through a convolution it stays a constant, which
    the next normalisation takes into its running mean, also further down a residual stream; the linear head
    takes it into its bias. Cutting the copy to `keep` then computes what `network` does with gamma = 0 (beta
    as it is) in the channels that go: exactly behind 1 x 1 and unpadded convolutions, in the interior of the
    feature map behind padded ones. It acts on inference alone: in training, batch statistics cancel every
    constant.
    """
    network, training = copy.deepcopy(network).eval(), network.training
    hooks = [network.head.register_forward_hook(_into_bias)]
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(_spread))
    for channels in network.channels:
        for norm in map(network.get_submodule, channels.norms):
            constants = norm.bias.detach().clone()
            constants[keep[channels.name]] = 0
            hooks.append(norm.register_forward_hook(_into_mean(constants)))
    with torch.no_grad():
        # The network's own forward pass carries the constants, and nothing else, from layer to layer. Maps
        # are the same everywhere, so the input's size is of no account if pooling leaves something of it.
        network(torch.zeros(1, 1, 32, 32).to(network.head.weight))
    for hook in hooks:
        hook.remove()
    return network.train(training)


def _spread(convolution: nn.Conv2d, inputs: tuple[Tensor], _output: Tensor) -> Tensor:
    """What a convolution makes of constant feature maps, away from the borders."""
    kernel = convolution.weight.sum((2, 3), keepdim=True)
    return F.conv2d(*inputs, kernel, stride=convolution.stride, groups=convolution.groups)


def _into_mean(constants: Tensor) -> Callable[[nn.BatchNorm2d, tuple[Tensor], Tensor], Tensor]:
    """A hook: what reaches a normalisation goes into its mean, only `constants` [channels] are passed on."""

    def hook(norm: nn.BatchNorm2d, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        norm.running_mean -= inputs[0][0, :, 0, 0]
        return constants[:, None, None].expand_as(output).clone()

    return hook


def _into_bias(head: nn.Linear, inputs: tuple[Tensor], _output: Tensor) -> None:
    head.bias += head.weight @ inputs[0][0]


def proximal_step(gammas: Mapping[str, nn.Parameter], thresholds: Mapping[str, float]) -> None:
    """Soft-threshold the gammas of each normalisation in place: sign(gamma) x max(|gamma| - threshold, 0).

    After a gradient step the threshold is learning rate x rho x penalty (their Algorithm 1).
    """
    with torch.no_grad():
        for norm, gamma in gammas.items():
            gamma.copy_(F.softshrink(gamma, thresholds[norm]))
