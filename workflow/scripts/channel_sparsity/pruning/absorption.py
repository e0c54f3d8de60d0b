"""What a channel still puts out when its gamma is zero, relu(beta), absorbed by the layers behind it (R23)."""

import copy
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from channel_sparsity.networks.channels import Network

N = TypeVar("N", bound=Network)


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
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [network.head.register_forward_hook(_into_bias)]
    hooks += [convolution.register_forward_hook(_spread) for convolution in convolutions]
    for channels in network.channels:
        for norm in map(network.get_submodule, channels.norms):
            constants = norm.bias.detach().clone()
            constants[keep[channels.name]] = 0
            hooks.append(norm.register_forward_hook(_into_mean(constants)))
    # Maps are the same everywhere, so the input may have any size of which strides and pooling leave something.
    side = 16 * max(2, *(convolution.stride[0] for convolution in convolutions))
    with torch.no_grad():
        # The network's own forward pass carries the constants, and nothing else, from layer to layer.
        network(torch.zeros(1, 1, side, side).to(network.head.weight))
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
