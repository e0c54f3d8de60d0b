"""The convolutional networks of the study, each of which declares its prunable channels: a file a family."""

from collections.abc import Mapping
from importlib import import_module

from torch import nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.declaration import check

__all__ = ["build", "count_gammas", "gammas_of", "widths_of"]


def build(
    name: str,
    classes: int,
    width_scale: float = 1.0,
    stem_stride: int = 1,
    widths: Mapping[str, int] | None = None,
) -> Network:
    """The network `name`, newly initialised: log-mel [n, 1, bands, frames] -> logits [n, classes].

    A name is a family and a number: `vgg11` is what `build("11", ...)` in vgg.py makes. The family's file is imported
    by its name (and the fingerprint of a rule knows which one), so that a new network touches no other.

    width_scale and stem_stride are a network's shape in a study. The former multiplies every width, the residual
    stream's too; no layer gets below 8 channels. The latter is the stride of the first convolution.
    widths (name of the Channels -> number, as `widths_of` gives them) builds a cut network, into which the
    saved state of one loads strictly; StudyError if they belong to another network, or if the network's declaration of
    its channels is wrong.
    """
    family = name.rstrip("0123456789.")
    module = f"channel_sparsity.networks.{family}"
    try:
        builder = import_module(f"channel_sparsity.networks.{family}")  # spelt out: the fingerprint reads the package
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise StudyError(
            f"there is no network {name}: networks/{family}.py, which would build it, is missing (a family's name ends "
            "in a letter)"
        ) from error
    network = builder.build(name.removeprefix(family), classes, width_scale, stem_stride, widths)
    check(network, f"networks/{family}.py")
    if widths is not None and dict(widths) != widths_of(network):
        raise StudyError(f"the widths of the cut network name layers that {name} does not have")
    return network


def widths_of(network: Network) -> dict[str, int]:
    """Channels left in each prunable set, in the order of the layers."""
    return {channels.name: len(network.get_submodule(channels.name).weight) for channels in network.channels}


def gammas_of(network: Network) -> dict[str, nn.Parameter]:
    """The scaling factors gamma of Eq. 2, [channels] per normalisation, in the order of the layers."""
    return {norm: network.get_submodule(norm).weight for channels in network.channels for norm in channels.norms}


def count_gammas(network: Network) -> int:
    """How many scaling factors a network has: what a step of pruning counts as channels."""
    return sum(len(gamma) for gamma in gammas_of(network).values())
