"""What a study's recordings are, where they come from and what may be done with them, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.data.sources import source_of
from channel_sparsity.words import count, devices, percents

_SPLITS = {
    "random": "Clips were drawn at random within scenes, so that recordings of one place may stand on both sides: "
    "accuracies are no claim about new places.",
    "location": "No place stands on both sides, so that accuracies speak of new places.",
    "official": "The split is the data set's official one; all clips that do not train validate.",
}

_FEATURES = {"padded": "padded to that length", "cut": "cut to it", "silent": "silent"}


@dataclass(frozen=True)
class Recordings:
    """What the report says of the data: a warning or nothing, sentences, the licence, and clips of each scene."""

    warning: str
    sentences: list[str]
    licence: str
    scenes: dict[str, int]


def recordings(config: Mapping, manifest: Mapping, split: pandas.DataFrame, cells: pandas.DataFrame) -> Recordings:
    """The data of a study. `manifest`: of its data set; `split`: ``split.csv``; `cells`: the table of that name."""
    block = config["datasets"][config["dataset"]]
    source = source_of(block, config["dataset"])
    return Recordings(
        warning=source.note,
        sentences=[source.description, _clips(block, manifest), _sides(config, split, cells)],
        licence=source.licence,
        scenes=dict(manifest["clips_per_scene"]),
    )


def _clips(block: Mapping, manifest: Mapping) -> str:
    features = block["features"]
    changed = [f"{manifest[key]:,} {words}" for key, words in _FEATURES.items() if manifest.get(key)]
    text = (
        f"It has {count(manifest['clips'], 'clip')} of {len(manifest['clips_per_scene'])} scenes, "
        f"{features['duration_s']:g} s each, from {devices(block)}, read as {features['bands']} "
        f"mel bands by {manifest['frames']} frames at {features['sample_rate_hz'] / 1000:g} kHz"
    )
    return f"{text}; {', '.join(changed)}." if changed else f"{text}."


def _sides(config: Mapping, split: pandas.DataFrame, cells: pandas.DataFrame) -> str:
    sizes = split["subset"].value_counts()
    trained = cells.drop_duplicates(["network", "lam", "seed"])
    return (
        f"{sizes.get('train', 0):,} clips train and {sizes.get('validation', 0):,} validate. "
        f"{_SPLITS[config['split']['kind']]} Before pruning the networks are right on {percents(trained['accuracy'])} "
        "of the validation clips; the same clips place the limit of lambda and the knee."
    )
