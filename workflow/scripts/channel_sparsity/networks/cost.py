"""What a network costs, parameters and multiply-accumulate operations, and what a single channel of it does."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network


@dataclass(frozen=True)
class Cost:
    """All trained parameters; multiply-accumulates of the convolutions and linear layers for one clip."""

    parameters: int
    macs: int


def cost(network: Network, bands: int, frames: int) -> Cost:
    """The cost of `network` for one clip of log-mel [1, bands, frames]."""
    areas = output_areas(network, bands, frames)
    weighted = (nn.Conv2d, nn.Linear)
    macs = sum(
        network.get_submodule(name).weight.numel() * area
        for name, area in areas.items()
        if isinstance(network.get_submodule(name), weighted)
    )
    return Cost(sum(parameter.numel() for parameter in network.parameters()), macs)


@torch.inference_mode()
def output_areas(network: Network, bands: int, frames: int) -> dict[str, int]:
    """The area of what each innermost module puts out for one clip: bands' x frames', 1 behind the pooling.

    StudyError if the input is too small.
    """
    areas = {}
    # Areas do not depend on widths: the narrowest network of the same design takes next to no time.
    skeleton = network.unfilled(dict.fromkeys(widths_of(network), 1)).eval()
    for name, module in skeleton.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _, inputs, output, name=name: areas.__setitem__(name, output.shape[2:].numel())
            )
    try:
        skeleton(torch.zeros(1, 1, bands, frames))
    except RuntimeError as error:
        raise StudyError(
            f"{type(network).__name__} cannot take clips of {bands} bands x {frames} frames ({error}): "
            "use more bands, longer clips or a smaller `stem_stride`"
        ) from error
    return areas


def masked_parameters(network: Network, widths: Mapping[str, int]) -> int:
    """Parameters of the original `network` that are left if channels are only masked, down to `widths` (R20).

    Each removed channel takes its own filter along, at the original number of inputs, and its gamma and beta
    (depthwise filter and second normalisation too); the weights that read it in the next layer stay.
    """
    left = sum(parameter.numel() for parameter in network.parameters())
    for channels in network.channels:
        modules = (*channels.norms, *channels.producers, *channels.carriers)
        own = [p[0].numel() for module in modules for p in network.get_submodule(module).parameters()]
        left -= (len(network.get_submodule(channels.name).weight) - widths[channels.name]) * sum(own)
    return left


def channel_costs(network: Network, bands: int, frames: int) -> dict[str, float]:
    """The memory that one channel of each normalisation costs, for clips of `bands` x `frames`.

    Ye et al. 2018, Eq. 2 (R23): the values that exist because of the channel, which are its filter, the weights of the
    next layers that read it and its feature map, over the area of the network's input. A depthwise layer reads and
    makes one filter per channel; the normalisation of a residual stream has no filter of its own; the linear head reads
    one weight per class.
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
