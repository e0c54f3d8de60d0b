"""The pruning methods of the study, by the names that the configuration gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.pruning import ista, random_order, slimming
from channel_sparsity.pruning.absorption import absorb
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut
from channel_sparsity.seeds import derive


class Ranking(Protocol):
    """What tells one method from another: which channels go first."""

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        """A score for every channel, [channels] per prunable set; the lowest go first."""


@dataclass(frozen=True)
class Slimming:
    """Liu et al. 2017: the smallest |gamma| go.

    `tied`: how the two gammas of a depthwise pair make one score (R12). `signed`: negative gammas go first (R15).
    """

    tied: str = "min"
    signed: bool = False

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return slimming.scores(network, self.tied, self.signed)


@dataclass(frozen=True)
class RandomOrder:
    """The control: another random order at each step, the same for every lambda."""

    seed: int
    name: str = ""

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return random_order.scores(network, derive(self.seed, self.name, "random order", step))


@dataclass(frozen=True)
class Ista:
    """Ye et al. 2018 (R23): |gamma| against what its channel costs, for clips of `bands` x `frames`."""

    bands: int
    frames: int

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return ista.scores(network, self.bands, self.frames)


@dataclass(frozen=True)
class Method:
    """How channels are taken from a network.

    `absorbs`: whether the next layers take up what a removed channel puts out at gamma = 0. `shrinks` (for `Ista`):
    whether the threshold that takes a step's channels also shrinks the gammas that stay.
    """

    ranking: Ranking
    absorbs: bool = False
    shrinks: bool = False

    def prune(self, network: Network, step: int, count: int) -> Network:
        """A network with `count` gammas fewer than `network`, or as many as can go (R12, R18), in step `step`."""
        scores = self.ranking.scores(network, step)
        keep = choose(scores, sizes_of(network), count)
        smaller = cut(absorb(network, keep) if self.absorbs else network, keep)
        if self.shrinks:
            eta = _highest_gone(scores, keep)
            costs = channel_costs(network, self.ranking.bands, self.ranking.frames)
            ista.shrink(smaller, {norm: eta * cost for norm, cost in costs.items()})
        return smaller


def _highest_gone(scores: Mapping[str, Tensor], keep: Mapping[str, Tensor]) -> float:
    """The highest score of a channel that is not kept, 0 if all are."""
    highest = 0.0
    for name, values in scores.items():
        gone = values.clone()
        gone[keep[name]] = 0
        highest = max(highest, gone.max().item())
    return highest


def method_of(recipe: Mapping, *, name: str, seed: int, bands: int, frames: int) -> Method:
    """The method that a recipe describes, for network `name` trained with `seed` on clips [bands, frames]."""
    ranking = {
        "slimming": Slimming(recipe["tied_gammas"], recipe["signed_gammas"]),
        "ista": Ista(bands, frames),
        "random": RandomOrder(seed, name),
    }[recipe["method"]]
    return Method(ranking, recipe["absorb"], recipe["shrink_survivors"])
