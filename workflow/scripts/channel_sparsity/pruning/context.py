"""What a pruning method may go by beside the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channel_sparsity.training.features import Subset

#: How the scores of the two normalisations of one channel of a depthwise pair make one (R12).
TIED = {"min": torch.amin, "mean": torch.mean, "max": torch.amax}


@dataclass(frozen=True)
class Context:
    """The circumstances in which channels are ranked.

    `recipe`: the settings of the recipe (`pruning` and `recipes` of the configuration). `name`: the network's. `seed`:
    that of its training. `train`: the clips that it was trained on. `step`: of the pruning curve, from 1 on.
    """

    recipe: Mapping
    name: str
    seed: int
    train: Subset
    step: int = 1


def tied(scores: Sequence[Tensor], context: Context) -> Tensor:
    """One score [channels] from those of each normalisation of a set, as the recipe's `tied_gammas` says (R12)."""
    return TIED[context.recipe["tied_gammas"]](torch.stack(list(scores)), dim=0)
