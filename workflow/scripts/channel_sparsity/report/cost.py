"""What a study cost: the seconds that its jobs measured of themselves."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from channel_sparsity.files import read_csv
from channel_sparsity.words import duration

Paths = Iterable[str | Path]


def cost(trainings: Paths, prunings: Mapping[str, Paths]) -> list[list[str]]:
    """Rows of stage, jobs, total, mean and longest, in words, and their sum; times are wall clock.

    `trainings`: every ``timing.csv`` of a training. `prunings`: those of pruning, by recipe.
    """
    stages = {"training": [_seconds(path) for path in trainings]}
    stages |= {f"pruning, {recipe}": [_seconds(path) for path in paths] for recipe, paths in prunings.items()}
    every = [seconds for stage in stages.values() for seconds in stage]
    if len(stages) > 1:
        stages["together"] = every
    return [_row(stage, seconds) for stage, seconds in stages.items() if seconds]


def _seconds(path: str | Path) -> float:
    return float(read_csv(path)["seconds"].sum())


def _row(stage: str, seconds: list[float]) -> list[str]:
    return [
        stage,
        f"{len(seconds):,}",
        duration(sum(seconds)),
        duration(sum(seconds) / len(seconds)),
        duration(max(seconds)),
    ]
