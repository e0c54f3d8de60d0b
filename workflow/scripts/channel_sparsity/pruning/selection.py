"""Which channels go: the weakest of the whole network, an exact number of them, no layer emptied (R18)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network


def sizes_of(network: Network) -> dict[str, int]:
    """Gammas that go with one channel of each set: 2 where a depthwise convolution ties two, else 1 (R12)."""
    return {channels.name: len(channels.norms) for channels in network.channels}


def choose(scores: Mapping[str, Tensor], sizes: Mapping[str, int], count: int) -> dict[str, Tensor]:
    """The channels to keep (name -> sorted indices) once `count` gammas are gone, weakest first.

    scores: per prunable set, in the order of the layers, one finite score per channel; the lowest go first.
    sizes: gammas that go with one channel of the set, 1 or 2 (a depthwise pair, R12).

    Every set keeps its strongest channel; what cannot be taken there is taken from the next weakest
    elsewhere. Exactly `count` go, or the largest number below it that can be reached. Ties: the earlier
    layer, then the lower index, goes first. While all sizes are 1, what goes for a smaller count also goes
    for a larger one.
    """
    removed = _fill(_candidates(scores), sizes, count)
    return {
        name: torch.tensor([index for index in range(len(values)) if (name, index) not in removed])
        for name, values in scores.items()
    }


def _candidates(scores: Mapping[str, Tensor]) -> list[tuple[str, int]]:
    """All channels that may go, as (name, index), weakest first: of each set all but the strongest."""
    ranked = []
    for layer, (name, values) in enumerate(scores.items()):
        order = sorted((score, index) for index, score in enumerate(values.tolist()))
        ranked += [(score, layer, index, name) for score, index in order[:-1]]
    return [(name, index) for _, _, index, name in sorted(ranked)]


def _fill(candidates: list[tuple[str, int]], sizes: Mapping[str, int], count: int) -> set[tuple[str, int]]:
    """Take candidates in turn, skipping a pair where only one gamma is still to go."""
    taken, skipped, left = [], [], count
    for name, index in candidates:
        fits = sizes[name] <= left
        (taken if fits else skipped).append((name, index))
        left -= sizes[name] if fits else 0
    singles = [candidate for candidate in taken if sizes[candidate[0]] == 1]
    if left == 1 and skipped and singles:
        # One short, and only pairs are left: the strongest single channel makes room for the weakest of them.
        taken.remove(singles[-1])
        taken.append(skipped[0])
    return set(taken)
