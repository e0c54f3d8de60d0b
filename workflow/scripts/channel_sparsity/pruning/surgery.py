"""Channel surgery: a smaller network that computes what the masked one computes."""

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

from channel_sparsity.networks.channels import Network

N = TypeVar("N", bound=Network)


def cut(network: N, keep: Mapping[str, Tensor]) -> N:
    """A new network with only the channels `keep` (name of the Channels -> sorted indices, at least one).

    Its output is that of `network` with gamma = beta = 0 for every other channel. Weights and running
    statistics are copied; dtype, device and training mode stay; no random number is drawn. Where channels
    come from and go to is read from the network's declaration, so that no network needs pruning code of its
    own.
    """
    state = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}
    for channels in network.channels:
        index = keep[channels.name].to(state[f"{channels.name}.weight"].device)
        for key, dimension in network.slices(channels):
            state[key] = state[key].index_select(dimension, index)

    smaller = network.unfilled({channels.name: len(keep[channels.name]) for channels in network.channels})
    smaller.load_state_dict(state, assign=True)
    return smaller.train(network.training)
