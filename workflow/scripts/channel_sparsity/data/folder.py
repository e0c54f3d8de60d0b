"""Clips in a folder laid out like the TAU data sets: `audio/`, listed in a tab-separated `meta.csv`."""

import csv
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas
import soundfile

from channel_sparsity.data.audio import reason
from channel_sparsity.data.clips import clip_table, parse_name, split_identifier
from channel_sparsity.files import StudyError

META_COLUMNS = ("filename", "scene_label", "identifier", "source_label")
LAYOUT = f"tab-separated, with the columns {', '.join(META_COLUMNS)}"

# Letters and digits of any script, and what harms no path, table or web page. No dot comes first.
PLAIN = re.compile(r"\w(?:[\w .,+()-]*[\w.+)-])?")
PLAIN_CHARACTERS = "letters, digits, spaces and _ - . , + ( )"

HEADER_READERS = 8  # threads: to open a file is mostly to wait


class Row(NamedTuple):
    """A line of `meta.csv`."""

    filename: str
    scene: str
    identifier: str
    device: str


def read_folder(root: str | Path, devices: Collection[str]) -> pandas.DataFrame:
    """The table (`clips.COLUMNS`) of the clips that `devices` recorded, checked as far as headers tell.

    City and location come from the file name where it follows TAU's naming and agrees with its row, otherwise
    from `identifier` (`city-location`, or any name of a place). Rows of other devices need no file. Raises
    `StudyError` for a folder or a table that is missing, empty or malformed, rows without a file, files in
    audio/ without a row, clips that are empty or cannot be opened, and too few clips or scenes.
    """
    root = Path(root)
    meta = root / "meta.csv"
    if not root.is_dir():
        raise StudyError(f"{root} is not a folder: name the folder that holds audio/ and meta.csv")
    rows = _read_meta(meta)
    _check_labels(rows, meta)
    _check_unlisted(rows, root)
    rows = _recorded_by(devices, rows, meta)
    _check_scenes(rows, meta)
    _check_present(rows, root)
    with ThreadPoolExecutor(HEADER_READERS) as readers:
        headers = list(readers.map(_header, [root / row.filename for row in rows]))
    return clip_table([{**_names(row), **header} for row, header in zip(rows, headers, strict=True)])


def _read_meta(meta: Path) -> list[Row]:
    """The rows of a `meta.csv`; its columns may stand in any order, and others between them."""
    try:
        with open(meta, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            lines = [fields for line in reader if any(fields := [field.strip() for field in line])]
    except FileNotFoundError as error:
        raise StudyError(f"{meta} is missing: list the clips in it, {LAYOUT}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{meta} cannot be read ({error}): save it as UTF-8 text, {LAYOUT}") from error
    if not lines:
        raise StudyError(f"{meta} is empty: list the clips in it, {LAYOUT}")
    header, *body = lines
    if len(header) == 1 and ("," in header[0] or ";" in header[0]):
        raise StudyError(f"{meta} has commas or semicolons between its columns: put tabs there")
    missing = [column for column in META_COLUMNS if column not in header]
    if missing:
        raise StudyError(f"{meta} has the columns {_quoted(header)} but not {_quoted(missing)}: add what is missing")
    if not body:
        raise StudyError(f"{meta} lists no clip: add a line for each file in audio/")
    for line in body:
        if len(line) != len(header):
            raise StudyError(
                f"{meta} has {len(line)} columns, not {len(header)}, in the line of {line[0]!r}: "
                "put exactly one tab between columns"
            )
    places = [header.index(column) for column in META_COLUMNS]
    return [Row(*(line[place] for place in places)) for line in body]


def _check_labels(rows: Sequence[Row], meta: Path) -> None:
    """Names and labels must be fit for paths and web pages, and no file may be listed twice."""
    for row in rows:
        if not all(PLAIN.fullmatch(part) for part in row.filename.split("/")):
            raise StudyError(
                f"{meta} has the filename {row.filename!r}, which is not a plain path below its folder: "
                f"use {PLAIN_CHARACTERS} between forward slashes"
            )
        for column, label in zip(META_COLUMNS[1:], row[1:], strict=True):
            if not PLAIN.fullmatch(label):
                raise StudyError(f"{meta} has the {column} {label!r} for {row.filename!r}: use {PLAIN_CHARACTERS}")
    repeated = [name for name, count in Counter(row.filename for row in rows).items() if count > 1]
    if repeated:
        raise StudyError(f"{meta} lists {_first(repeated)} more than once: keep one row for each file")


def _check_unlisted(rows: Sequence[Row], root: Path) -> None:
    """Every file in audio/ needs a row, but for the hidden ones that systems leave behind."""
    found = {
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, names in os.walk(root / "audio")
        for name in names
        if not name.startswith(".")
    }
    unlisted = sorted(found - {row.filename for row in rows})
    if unlisted:
        raise StudyError(f"{root / 'meta.csv'} has no row for {_first(unlisted)}: add one or move the file away")


def _recorded_by(devices: Collection[str], rows: Sequence[Row], meta: Path) -> list[Row]:
    """The rows of some devices, each of which must have recorded something."""
    present = {row.device for row in rows}
    absent = [device for device in devices if device not in present]
    if absent:
        raise StudyError(
            f"{meta} has no clip of device {_quoted(absent)} in source_label: choose from {_quoted(sorted(present))}"
        )
    return [row for row in rows if row.device in devices]


def _check_scenes(rows: Sequence[Row], meta: Path) -> None:
    """There must be scenes to tell apart, and of each a clip to train on and one to validate with."""
    counts = Counter(row.scene for row in rows)
    if len(counts) < 2:
        raise StudyError(f"{meta} has fewer than two scenes: add clips of another scene_label")
    for scene, count in sorted(counts.items()):
        if count == 1:
            raise StudyError(f"{meta} has one clip of the scene {scene!r}, too few to split: add some or remove it")


def _check_present(rows: Sequence[Row], root: Path) -> None:
    absent = [row.filename for row in rows if not (root / row.filename).is_file()]
    if absent:
        raise StudyError(f"{root / 'meta.csv'} lists {_first(absent)}, but no such file: add it or remove the row")


def _header(path: Path) -> dict[str, float | int]:
    """Duration, rate and channels of a clip, without decoding it."""
    try:
        info = soundfile.info(path)
    except (OSError, soundfile.SoundFileError) as error:
        raise StudyError(f"{path} cannot be decoded ({reason(error)}): replace or remove the clip") from error
    if not info.frames:
        raise StudyError(f"{path} holds no samples: replace or remove the clip")
    return {
        "duration_s": info.frames / info.samplerate,
        "sample_rate_hz": info.samplerate,
        "channels": info.channels,
    }


def _names(row: Row) -> dict[str, str]:
    """The names of a clip: from its file name where that agrees with the row, otherwise from the row."""
    city, location = split_identifier(row.identifier)
    segment = ""
    name = parse_name(row.filename)
    if name and (name.scene, f"{name.city}-{name.location}", name.device) == row[1:]:
        city, location, segment = name.city, name.location, name.segment
    return {**row._asdict(), "city": city, "location": location, "segment": segment}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _first(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return repr(names[0]) + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")
