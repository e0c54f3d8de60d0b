"""Which clips are trained on, and which validate (section 3.1 of the paper: 70 % and 30 %)."""

from collections.abc import Collection

import numpy as np
import pandas

from channel_sparsity.data.clips import parse_name
from channel_sparsity.data.meta import first
from channel_sparsity.files import StudyError

TRAIN, VALIDATION = "train", "validation"
STARTS = 20  # random beginnings of a split by location, until one gives each scene to both subsets
ROUNDING = 1e-12


def split_clips(clips: pandas.DataFrame, kind: str, train_share: float, seed: int) -> pandas.Series:
    """Put each clip into a subset: a Series "subset" of `train` and `validation`, aligned with `clips`.

    `kind` is `random`, stratified by scene, so that clips of one location may fall into both subsets, or
    `location`, grouped by `identifier`, so that none do. Each scene meets `train_share` (between 0 and 1) as
    closely as whole clips, or whole locations, allow, and occurs in both subsets; where it cannot,
    `StudyError` names it. The order of the clips does not matter.
    """
    ordered = clips.sort_values("filename")
    train = _KINDS[kind](ordered, train_share, np.random.default_rng(seed))
    return _subset(train, ordered).reindex(clips.index)


def official_split(clips: pandas.DataFrame, listed: Collection[str], listing: str) -> pandas.Series:
    """Train on the clips that a published list names, and validate with all others (R2); returns as `split_clips` does.

    `listed` are file names; those of devices that no clip is from are overlooked. `StudyError`, which calls the list
    `listing`, for names that are no clip's, and for a scene of which the list has no clip, or every one.
    """
    devices = set(clips["device"])
    unknown = sorted(
        name
        for name in set(listed) - set(clips["filename"])
        if (parsed := parse_name(name)) is None or parsed.device in devices
    )
    if unknown:
        raise StudyError(f"{listing} lists {first(unknown)}, but no such clip: give the list of this data set")
    train = clips["filename"].isin(set(listed))
    for scene, chosen in train.groupby(clips["scene"]):
        if chosen.all() or not chosen.any():
            share = "every clip" if chosen.all() else "no clip"
            raise StudyError(f"{listing} lists {share} of the scene {scene!r}: give the list of this data set")
    return _subset(train.to_numpy(), clips)


def describe(identifiers: pandas.Series, subset: pandas.Series) -> str:
    """What a split does to the places, in words: how many of them have clips in both subsets, and what follows."""
    sizes = f"{(subset == TRAIN).sum()} clips train, {(subset == VALIDATION).sum()} validate"
    sides = subset.groupby(identifiers).nunique()
    shared = (sides > 1).sum()
    if len(sides) == 1:
        places = "every clip has the same identifier, so accuracies may be those of places heard before"
    elif len(sides) == len(identifiers):
        places = "every clip has an identifier of its own: if some share a place, accuracies may flatter"
    elif shared:
        places = f"{shared} of {len(sides)} places are in both, so accuracies are those of places heard before"
    else:
        places = f"none of {len(sides)} places is in both"
    return f"{sizes}; {places}"


def _subset(train: np.ndarray, clips: pandas.DataFrame) -> pandas.Series:
    return pandas.Series(np.where(train, TRAIN, VALIDATION), clips.index, name="subset")


def _random(clips: pandas.DataFrame, train_share: float, random: np.random.Generator) -> np.ndarray:
    """Choose the clips to train on [clips, boolean]: a share of each scene's (two at least), never none, never all."""
    train = np.zeros(len(clips), bool)
    for _, rows in sorted(clips.groupby("scene").indices.items()):
        chosen = np.clip(round(train_share * len(rows)), 1, len(rows) - 1)
        train[random.permutation(rows)[:chosen]] = True
    return train


def _location(clips: pandas.DataFrame, train_share: float, random: np.random.Generator) -> np.ndarray:
    """Choose the clips to train on [clips, boolean], all or none of a location's."""
    table = pandas.crosstab(clips["identifier"], clips["scene"])
    counts = table.to_numpy()
    for _ in range(STARTS):
        train = _balanced(counts, train_share, random)
        absent = _one_sided(counts[train].sum(axis=0), counts.sum(axis=0))
        if not absent.any():
            return clips["identifier"].isin(table.index[train]).to_numpy()
    scene = table.columns[absent][0]
    raise StudyError(
        f"The scene {scene!r} has too few locations ({np.count_nonzero(table[scene])}) to occur in both "
        "subsets of a split by location: add some, remove the scene or split at random"
    )


def _one_sided(chosen: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Which scenes [..., scenes] have no clip among those chosen, or none outside."""
    return (chosen == 0) | (chosen == total)


def _balanced(counts: np.ndarray, train_share: float, random: np.random.Generator) -> np.ndarray:
    """Choose locations [locations, boolean] so that each scene's share of clips comes close to `train_share`.

    `counts` [locations, scenes] are clips. From a random choice on, locations change sides, one alone or two
    against each other, as long as that brings the shares closer (least squares); a scene on one side only
    weighs more than any distance.
    """
    total = counts.sum(axis=0)
    scenes = len(total)

    def cost(chosen: np.ndarray) -> np.ndarray:
        distance = np.square(chosen / total - train_share).sum(axis=-1)
        return distance + scenes * _one_sided(chosen, total).sum(axis=-1)

    perfect = cost(np.clip(np.round(train_share * total), 1, total - 1))  # as close as whole clips allow
    train = random.random(len(counts)) < train_share
    while (present := cost(chosen := counts[train].sum(axis=0))) > perfect + ROUNDING:
        moved = cost(chosen + np.where(train, -1, 1)[:, None] * counts)
        best = moved.argmin()
        if moved[best] < present - ROUNDING:
            train[best] = not train[best]
            continue
        outside = np.flatnonzero(~train)
        for inside in random.permutation(np.flatnonzero(train)):
            swapped = cost(chosen - counts[inside] + counts[outside])
            if len(outside) and swapped.min() < present - ROUNDING:
                train[[inside, outside[swapped.argmin()]]] = False, True
                break
        else:
            break
    return train


_KINDS = {"random": _random, "location": _location}
