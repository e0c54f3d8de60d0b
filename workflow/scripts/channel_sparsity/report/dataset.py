"""What a study's recordings are, where they come from and what may be done with them, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.report.words import count, percents

_SPLITS = {
    "random": "Clips were drawn at random within scenes, so that recordings of one place may stand on both sides: "
    "accuracies are no claim about new places.",
    "location": "No place stands on both sides, so that accuracies speak of new places.",
    "official": "The split is the data set's official one; all clips that do not train validate.",
}

_FEATURES = {"padded": "padded to that length", "cut": "cut to it", "silent": "silent"}


@dataclass(frozen=True)
class Recordings:
    """What the report says of the data: whether `synthetic`, sentences, the licence, and clips of each scene."""

    synthetic: bool
    sentences: list[str]
    licence: str
    scenes: dict[str, int]


def recordings(config: Mapping, manifest: Mapping, split: pandas.DataFrame, cells: pandas.DataFrame) -> Recordings:
    """The data of a study. `manifest`: of its data set; `split`: ``split.csv``; `cells`: the table of that name."""
    block = config["datasets"][config["dataset"]]
    return Recordings(
        synthetic=block["source"] == "synthetic",
        sentences=[_source(config["dataset"], block), _clips(block, manifest), _sides(config, split, cells)],
        licence=_licence(block),
        scenes=dict(manifest["clips_per_scene"]),
    )


def _source(name: str, block: Mapping) -> str:
    match block["source"]:
        case "synthetic":
            return (
                f"The data set {name} is synthetic: sounds computed from random numbers, made to be told apart. "
                "Nothing on this page is a result about real recordings."
            )
        case "record":
            return f"The data set {name} is a published record of recordings."
    return f"The data set {name} is a folder of recordings that whoever ran the study brought along."


def _clips(block: Mapping, manifest: Mapping) -> str:
    features = block["features"]
    changed = [f"{manifest[key]:,} {words}" for key, words in _FEATURES.items() if manifest.get(key)]
    text = (
        f"It has {count(manifest['clips'], 'clip')} of {len(manifest['clips_per_scene'])} scenes, "
        f"{features['duration_s']:g} s each, from device {', '.join(block['devices'])}, read as {features['bands']} "
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


def _licence(block: Mapping) -> str:
    """The licence, as far as the study knows it."""
    if block["source"] == "synthetic":
        return "The clips are made by this project's own code and carry its licence (MIT)."
    licence = block.get("record", {}).get("licence")
    if block["source"] == "record":
        return licence
    if licence:
        return f"If the folder holds what the configuration names, then: {licence}"
    return (
        "The study does not know the licence of these recordings. Whoever passes on this page, or networks trained on "
        "them, has to know it."
    )
