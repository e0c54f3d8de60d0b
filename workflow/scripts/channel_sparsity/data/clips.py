"""Who and what the clips are: their names and their table."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas

from channel_sparsity.files import read_csv, write_csv

COLUMNS: Mapping[str, type] = {
    "filename": str,  # below the data set's root, with forward slashes: audio/airport-lisbon-1000-40000-a.wav
    "scene": str,
    "city": str,  # empty where neither the file name nor the identifier tells
    "location": str,  # within the city
    "segment": str,  # of the recording at the location; empty where the file name does not tell
    "device": str,
    "identifier": str,  # of the location in the whole data set: clips that share it were recorded there
    "duration_s": float,  # as recorded, before padding or cutting
    "sample_rate_hz": int,  # as recorded, before resampling
    "channels": int,
}

#: The columns of a study's ``split.csv``, in the order of its clips: `subset` is ``train`` or ``validation``.
SPLIT: Mapping[str, type] = {"filename": str, "subset": str}


class ClipName(NamedTuple):
    """The parts of a clip's name in the TAU data sets: `scene-city-location-segment-device.wav`."""

    scene: str
    city: str
    location: str
    segment: str
    device: str


def parse_name(filename: str) -> ClipName | None:
    """Take a TAU file name apart, whatever its folder and suffix; None if it is not one."""
    parts = PurePosixPath(filename).stem.split("-")
    return ClipName(*parts) if len(parts) == len(ClipName._fields) and all(parts) else None


def split_identifier(identifier: str) -> tuple[str, str]:
    """Read an identifier as (city, location): `lisbon-1000` as lisbon, 1000, and `harbour` as "", harbour."""
    city, _, location = identifier.rpartition("-")
    return (city, location) if city and location else ("", identifier)


def clip_table(rows: Iterable[Mapping[str, object]]) -> pandas.DataFrame:
    """A table of clips with the columns of `COLUMNS`, sorted by file name."""
    frame = pandas.DataFrame(rows, columns=list(COLUMNS)).astype(dict(COLUMNS))
    return frame.sort_values("filename", ignore_index=True)


def write_clips(path: str | Path, clips: pandas.DataFrame) -> None:
    """Write a table of clips as CSV."""
    write_csv(path, clips[list(COLUMNS)])


def read_clips(path: str | Path) -> pandas.DataFrame:
    """Read what `write_clips` wrote; numbers in names (`007`) stay text, as do empty fields and `NA`."""
    return read_csv(path, COLUMNS, "table of clips")
