"""Settings that are allowed but let no cell count: said before the first job, since tables say it only at the end."""

import math
from collections.abc import Iterator, Mapping

from channel_sparsity.configuration import curves_of, recipe_of
from channel_sparsity.data.sources import Extent
from channel_sparsity.planning.estimate import clips_of

MOMENTUM = 0.1  # of PyTorch's running statistics: an update leaves 90 % of what they were
LEFT = 0.01  # of what they were at first: with more, networks that have learnt still answer as if they had not


def doubts(config: Mapping, extent: Extent) -> Iterator[str]:
    """What makes it unlikely, or impossible, that any cell of a study counts: a sentence each."""
    clips, training = clips_of(extent.clips, config["split"]), config["training"]
    updates = training["epochs"] * math.ceil(clips.train / training["batch_size"])
    if updates < (enough := math.ceil(math.log(LEFT) / math.log(1 - MOMENTUM))):
        yield (
            f"{training['epochs']} epochs are about {updates} updates of the weights, and with fewer than {enough} "
            "hardly any network tells clips apart: raise `training.epochs` or lower `training.batch_size`"
        )
    chance = 1 / extent.scenes
    # A knee is looked for from three standard errors over chance on (measuring/knee.py).
    if clips.validation < (enough := math.ceil(9 * chance / (1 - chance))):
        yield (
            f"about {clips.validation} clips validate, and with fewer than {enough} not even a perfect network is "
            f"surely better than chance between {extent.scenes} scenes: add clips or lower `split.train_share`"
        )
    for name in dict.fromkeys(curve.recipe for curve, _ in curves_of(config)):
        recipe = recipe_of(config, name)
        if recipe["highest_rate"] < 2 * recipe["step"]:
            yield f"the curves of {name} have one step, so every knee lies at an end and none counts: lower its `step`"
