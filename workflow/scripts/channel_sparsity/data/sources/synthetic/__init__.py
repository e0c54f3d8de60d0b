"""The embedded scenes: sounds computed from random numbers, as a data set in TAU's layout."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import pandas

from channel_sparsity.data.sources import Costs, DataSource, Extent
from channel_sparsity.data.sources.folder import read_folder

SYNTHESIS_S = 0.006  # of one core for a second of sound; measured on an AMD EPYC

_SCENES = ["airport", "bus", "metro", "metro_station", "park", "public_square", "shopping_mall"]
_SCENES += ["street_pedestrian", "street_traffic", "tram"]
_PLAN = {
    "description": "For `synthetic`: how many clips of what.",
    "type": "object",
    "additionalProperties": False,
    "required": ["scenes", "cities", "locations", "segments", "seed"],
    "properties": {
        "scenes": {
            "type": "array",
            "minItems": 2,
            "uniqueItems": True,
            "items": {"enum": _SCENES},
            "description": "Scenes to make.",
        },
        "cities": {"type": "integer", "minimum": 1, "maximum": 10, "description": "Number of cities."},
        "locations": {"type": "integer", "minimum": 1, "description": "Locations a city and scene."},
        "segments": {"type": "integer", "minimum": 1, "description": "Clips a location."},
        "seed": {"type": "integer", "minimum": 0, "description": "Seed of the sounds."},
    },
}


class Source(DataSource):
    """Scenes that a rule makes before they are listed and read like a folder of recordings."""

    settings: ClassVar = {"synthetic": _PLAN}
    made: ClassVar = True
    stages: ClassVar = ("synthesise_scenes", *DataSource.stages)
    note: ClassVar = "The clips are synthetic: these numbers say nothing about real recordings."
    title: ClassVar = "embedded synthetic scenes"

    def problems(self, config: Mapping) -> Iterable[tuple[tuple, str]]:
        if config["dataset"] == self.dataset and config["split"]["kind"] == "official":
            yield ("split", "kind"), "`split.kind` is official, but the embedded scenes have no official split"

    def list_clips(self) -> pandas.DataFrame:
        return read_folder(self.folder, self.block["devices"])

    @property
    def description(self) -> str:
        return (
            f"The data set {self.dataset} is synthetic: sounds computed from random numbers, made to be told apart. "
            "Nothing on this page is a result about real recordings."
        )

    @property
    def licence(self) -> str:
        return "The clips are made by this project's own code and carry its licence (MIT)."

    @property
    def seed(self) -> int:
        return self.block["synthetic"]["seed"]

    def extent(self) -> Extent:
        plan = self.block["synthetic"]
        scenes = len(plan["scenes"])
        return Extent(scenes * plan["cities"] * plan["locations"] * plan["segments"], scenes)

    def first(self, count: int) -> list[str]:
        return []

    def costs(self, audio_s: float, audio_bytes: int, features_bytes: int) -> Costs:
        return Costs(making_s=SYNTHESIS_S * audio_s, kept={"audio": audio_bytes})
