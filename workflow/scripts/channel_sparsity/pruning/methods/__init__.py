"""The pruning methods of the study: a file each, which bears the name that the configuration gives the method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module

from torch import Tensor

from channel_sparsity.files import StudyError
from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.pruning.absorption import absorb
from channel_sparsity.pruning.context import Context
from channel_sparsity.pruning.ista import shrink
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut
from channel_sparsity.training.features import Subset

#: What tells one method from another, which channels go first: a score for every channel, [channels] per prunable set
#: in the order of the layers; the lowest go first.
Scores = Callable[[Network, Context], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Method:
    """How channels are taken from a network.

    `absorbs`: whether the next layers take up what a removed channel puts out at gamma = 0. `shrinks` (for `ista`):
    whether the threshold that takes a step's channels also shrinks the gammas that stay.
    """

    scores: Scores
    context: Context
    absorbs: bool = False
    shrinks: bool = False

    def prune(self, network: Network, step: int, count: int) -> Network:
        """A network with `count` gammas fewer than `network`, or as many as can go (R12, R18), in step `step`."""
        scores = self.scores(network, replace(self.context, step=step))
        _check(scores, network, self.scores.__module__)
        keep = choose(scores, sizes_of(network), count)
        smaller = cut(absorb(network, keep) if self.absorbs else network, keep)
        if self.shrinks:
            eta = _highest_gone(scores, keep)
            costs = channel_costs(network, *self.context.train.logmel.shape[1:])
            shrink(smaller, {norm: eta * cost for norm, cost in costs.items()})
        return smaller


def _check(scores: Mapping[str, Tensor], network: Network, module: str) -> None:
    """StudyError, with the module that made them, unless there is one finite score for each channel of each set."""
    widths = widths_of(network)
    if list(scores) != list(widths):
        raise StudyError(f"{module} scores other sets of channels than {', '.join(widths)}, in this order")
    for name, values in scores.items():
        if values.shape != (widths[name],) or not values.isfinite().all():
            raise StudyError(f"{module} has to give `{name}` {widths[name]} finite scores, one for each channel")


def _highest_gone(scores: Mapping[str, Tensor], keep: Mapping[str, Tensor]) -> float:
    """The highest score of a channel that is not kept, 0 if all are."""
    highest = 0.0
    for name, values in scores.items():
        gone = values.clone()
        gone[keep[name]] = 0
        highest = max(highest, gone.max().item())
    return highest


def method_of(recipe: Mapping, *, name: str, seed: int, train: Subset) -> Method:
    """The method that a recipe describes, for network `name` trained with `seed` on the clips `train`.

    Its file is imported by its name (and the fingerprint of a rule knows which one), so that a new method touches no
    other.
    """
    module = import_module(f"channel_sparsity.pruning.methods.{recipe['method']}")
    context = Context(recipe, name, seed, train)
    return Method(module.scores, context, recipe["absorb"], recipe["shrink_survivors"])
