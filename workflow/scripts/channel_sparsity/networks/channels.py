"""What the networks share: how they declare their prunable channels, get their widths, are initialised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Self

import torch
from torch import Tensor, nn

from channel_sparsity.files import StudyError

NARROWEST = 8
"""No layer is scaled below this width: with fewer channels there is nothing left to prune from."""

INITIAL_GAMMA = 0.5
"""Section 3.2, after Network Slimming."""


@dataclass(frozen=True)
class Channels:
    """One set of channels that live and die together, by the names of the modules that they pass through.

    norms: the batch normalisations whose gammas belong to them; two where a depthwise convolution ties its
        channels to those of the layer before it (MobileNet).
    producers: the modules whose *output* channels they are: a Conv2d, or the Select of a ResNet.
    consumers: the Conv2d or Linear modules whose *input* channels they are.
    carriers: the depthwise convolutions that they pass through, between producer and consumer.
    """

    norms: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    carriers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The set is named after its first normalisation."""
        return self.norms[0]


class Network(nn.Module):
    """A classifier of log-mel clips, [n, 1, bands, frames] -> logits [n, classes], with declared channels.

    channels: every prunable set, in the order of the layers.
    head: the linear layer at the end, behind global average pooling.
    design: what the network is made from before its widths, which are the last argument of its class.
    """

    channels: tuple[Channels, ...]
    head: nn.Linear
    design: tuple

    def slices(self, channels: Channels) -> Iterator[tuple[str, int]]:
        """The entries of the state with a slice for each of these channels, and the dimension that counts them."""
        for module in (*channels.norms, *channels.producers, *channels.carriers):
            state = self.get_submodule(module).state_dict()
            yield from ((f"{module}.{key}", 0) for key, tensor in state.items() if tensor.ndim > 0)  # no counters
        yield from ((f"{module}.weight", 1) for module in channels.consumers)

    def resized(self, widths: Mapping[str, int]) -> Self:
        """A new, untrained network of the same design with these widths (name of the Channels -> number)."""
        return type(self)(*self.design, widths)

    def unfilled(self, widths: Mapping[str, int]) -> Self:
        """`resized`, whose weights are to be replaced: nobody's random numbers are used up."""
        # Drawing them in vain costs less than the first use of PyTorch's meta device, a second.
        with torch.random.fork_rng(devices=[]):
            return self.resized(widths)


class Select(nn.Module):
    """Pass on `width` of the `inputs` channels of a feature map that itself stays whole (R13).

    Network Slimming's selection, but in front of the normalisation, so that this one has only the channels
    that are left. Which they are is an index buffer: saved with the weights, neither trained nor counted.
    """

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.inputs = inputs
        self.takes_all = width == inputs
        self.register_buffer("index", torch.arange(width))

    def forward(self, x: Tensor) -> Tensor:
        return x if self.takes_all else x.index_select(1, self.index)


def scaled(width: int, scale: float) -> int:
    """`width` x `scale`, rounded, but not below NARROWEST."""
    return max(NARROWEST, round(width * scale))


def planned(widths: Mapping[str, int] | None, name: str, full: int) -> int:
    """The width of the channels `name`: `full` in an uncut network (no widths), else what the widths say."""
    if widths is None:
        return full
    if name not in widths:
        raise StudyError(f"the widths of the cut network have no `{name}`: they belong to another network")
    return widths[name]


def initialise(network: nn.Module) -> None:
    """Initialise as Network Slimming does: He et al. for convolutions (normal, fan-out), gamma 0.5, beta 0.

    The linear head stays as PyTorch makes it.

    An input of a depthwise convolution reaches one output channel, so its fan-out is its kernel's area.
    Counting all the outputs of the layer would make its weights so small that the first steps at 0.1 throw
    them far off.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
            nn.init.normal_(module.weight, std=sqrt(2 / fan_out))
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, INITIAL_GAMMA)
            nn.init.zeros_(module.bias)
