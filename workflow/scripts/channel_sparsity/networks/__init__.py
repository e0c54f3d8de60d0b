"""The convolutional networks of the study, each of which declares its prunable channels."""

from collections.abc import Mapping

from torch import nn

from channel_sparsity.files import StudyError
from channel_sparsity.naming import family
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.mobilenet import MobileNet
from channel_sparsity.networks.resnet import ResNet
from channel_sparsity.networks.vgg import VGG

__all__ = ["build", "gammas_of", "widths_of"]


def build(name: str, classes: int, width_scale: float = 1.0, widths: Mapping[str, int] | None = None) -> Network:
    """The network `name`, newly initialised: log-mel [n, 1, bands, frames] -> logits [n, classes].

    width_scale multiplies every width, the residual stream's too; no layer gets below 8 channels.
    widths (name of the Channels -> number, as `widths_of` gives them) builds a cut network, into which the
    saved state of one loads strictly; StudyError if they belong to another network.
    """
    kind = family(name)
    number = name.removeprefix(kind)
    if kind == "vgg":
        network = VGG(int(number), classes, width_scale, widths)
    elif kind == "resnet":
        network = ResNet(int(number), classes, width_scale, widths)
    else:
        network = MobileNet(float(number), classes, width_scale, widths)
    if widths is not None and dict(widths) != widths_of(network):
        raise StudyError(f"the widths of the cut network name layers that {name} does not have")
    return network


def widths_of(network: Network) -> dict[str, int]:
    """Channels left in each prunable set, in the order of the layers."""
    return {channels.name: len(network.get_submodule(channels.name).weight) for channels in network.channels}


def gammas_of(network: Network) -> dict[str, nn.Parameter]:
    """The scaling factors gamma of Eq. 2, [channels] per normalisation, in the order of the layers."""
    return {norm: network.get_submodule(norm).weight for channels in network.channels for norm in channels.norms}
