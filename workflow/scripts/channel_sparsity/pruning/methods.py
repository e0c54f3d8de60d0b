"""The pruning methods of the study, by the names that the configuration gives them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from channel_sparsity.networks import gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning import ista, random_order, slimming
from channel_sparsity.seeds import derive


class Method(Protocol):
    """What tells one way of pruning from another."""

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        """A score for every channel, [channels] per prunable set; the lowest go first."""

    def absorb(self, network: Network, keep: Mapping[str, Tensor]) -> Network:
        """The network with what the channels outside `keep` contribute moved elsewhere, before they are cut."""

    def after_step(self, network: Network) -> Callable[[float], None] | None:
        """What fine-tuning of `network` calls with the learning rate after each update, if anything."""


@dataclass(frozen=True)
class Slimming:
    """Liu et al. 2017: the smallest |gamma| go, and nothing of them is kept.

    `tied`: how the two gammas of a depthwise pair make one score (R12). `signed`: negative gammas go first (R15).
    """

    tied: str = "min"
    signed: bool = False

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return slimming.scores(network, self.tied, self.signed)

    def absorb(self, network: Network, keep: Mapping[str, Tensor]) -> Network:
        return network

    def after_step(self, network: Network) -> None:
        return None


@dataclass(frozen=True)
class RandomOrder(Slimming):
    """The control: another random order at each step, the same for every lambda."""

    seed: int = 0
    name: str = ""

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return random_order.scores(network, derive(self.seed, self.name, "random order", step))


@dataclass(frozen=True)
class Ista:
    """Ye et al. 2018 (R23): |gamma| against what its channel costs, constants absorbed, proximal fine-tuning.

    A proximal step of fine-tuning shrinks a gamma by rate x `lam` x its penalty; `bands` and `frames` are those of a
    clip.
    """

    lam: float
    bands: int
    frames: int

    def scores(self, network: Network, step: int) -> Mapping[str, Tensor]:
        return ista.scores(network, self.bands, self.frames)

    def absorb(self, network: Network, keep: Mapping[str, Tensor]) -> Network:
        return ista.absorb(network, keep)

    def after_step(self, network: Network) -> Callable[[float], None] | None:
        if self.lam == 0:
            return None
        gammas, penalties = gammas_of(network), ista.penalties(network, self.bands, self.frames)

        def shrink(rate: float) -> None:
            ista.proximal_step(gammas, {norm: rate * self.lam * value for norm, value in penalties.items()})

        return shrink


def method_of(recipe: Mapping, *, name: str, seed: int, lam: float, bands: int, frames: int) -> Method:
    """The method that a recipe describes, for network `name` trained with `seed` at `lam` on clips [bands, frames]."""
    if recipe["method"] == "slimming":
        return Slimming(recipe["tied_gammas"], recipe["signed_gammas"])
    if recipe["method"] == "random":
        return RandomOrder(seed=seed, name=name)
    return Ista(lam, bands, frames)
