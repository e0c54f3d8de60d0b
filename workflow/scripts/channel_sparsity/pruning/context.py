"""What a pruning method may go by beside the network."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """The circumstances in which channels are ranked.

    `recipe`: the settings of the recipe (`pruning` and `recipes` of the configuration). `name`: the network's. `seed`:
    that of its training. `bands` and `frames`: the size of a clip. `step`: of the pruning curve, from 1 on.
    """

    recipe: Mapping
    name: str
    seed: int
    bands: int
    frames: int
    step: int = 1
