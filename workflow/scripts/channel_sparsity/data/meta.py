"""The table of a data set's clips in TAU's layout: a tab-separated `meta.csv`."""

import csv
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas

from channel_sparsity.data.clips import COLUMNS, parse_name, split_identifier
from channel_sparsity.files import StudyError

META_COLUMNS = ("filename", "scene_label", "identifier", "source_label")

# Letters and digits of any script, and what harms no path, table or web page. No dot comes first.
PLAIN = re.compile(r"\w(?:[\w .,+()-]*[\w.+)-])?")
PLAIN_CHARACTERS = "letters, digits, spaces and _ - . , + ( )"
LONGEST = 100  # characters of a label; files hold lists of them


class Row(NamedTuple):
    """A line of `meta.csv`."""

    filename: str
    scene: str
    identifier: str
    device: str


def read_meta(meta: Path) -> list[Row]:
    """The rows of a `meta.csv`; its columns may stand in any order, and others between them.

    Raises `StudyError` for a table that is missing, empty or malformed, for names and labels that are not fit for
    paths and web pages, and for a file that is listed twice.
    """
    rows = [Row(*fields) for fields in _read_table(meta, META_COLUMNS)]
    _check_labels(rows, meta)
    return rows


def read_list(path: Path) -> list[str]:
    """The file names in a list of clips: a table like `meta.csv` of which only the column `filename` is needed."""
    return [name for (name,) in _read_table(path, META_COLUMNS[:1])]


def _read_table(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """Some columns of a tab-separated table, row by row, in NFC: a letter with a mark is one character."""
    layout = f"tab-separated, with the column{'s' * (len(columns) > 1)} {', '.join(columns)}"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            composed = (unicodedata.normalize("NFC", line) for line in file)
            reader = csv.reader(composed, delimiter="\t", quoting=csv.QUOTE_NONE)
            lines = [fields for line in reader if any(fields := [field.strip() for field in line])]
    except FileNotFoundError as error:
        raise StudyError(f"{path} is missing: list the clips in it, {layout}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} cannot be read ({error}): save it as UTF-8 text, {layout}") from error
    if not lines:
        raise StudyError(f"{path} is empty: list the clips in it, {layout}")
    header, *body = lines
    if len(header) == 1 and ("," in header[0] or ";" in header[0]):
        raise StudyError(f"{path} has commas or semicolons between its columns: put tabs there")
    missing = [column for column in columns if column not in header]
    if missing:
        raise StudyError(f"{path} has the columns {quoted(header)} but not {quoted(missing)}: add what is missing")
    if not body:
        raise StudyError(f"{path} lists no clip: add a line for each file in audio/")
    for line in body:
        if len(line) != len(header):
            raise StudyError(
                f"{path} has {len(line)} columns, not {len(header)}, in the line of {line[0]!r}: "
                "put exactly one tab between columns"
            )
    places = [header.index(column) for column in columns]
    return [[line[place] for place in places] for line in body]


def _is_plain(name: str) -> bool:
    """Whether a name is `PLAIN`, but for the marks that many scripts set behind a letter (Devanagari its vowels)."""
    letters = "".join(character for character in name if not unicodedata.category(character).startswith("M"))
    return bool(PLAIN.fullmatch(letters)) and letters[0] == name[0]


def _check_labels(rows: Sequence[Row], meta: Path) -> None:
    """Names and labels must be fit for paths and web pages, and no file may be listed twice."""
    for row in rows:
        if not all(_is_plain(part) for part in row.filename.split("/")):
            raise StudyError(
                f"{meta} has the filename {row.filename!r}, which is not a plain path below its folder: "
                f"use {PLAIN_CHARACTERS} between forward slashes"
            )
        for column, label in zip(META_COLUMNS[1:], row[1:], strict=True):
            if not _is_plain(label) or len(label) > LONGEST:
                raise StudyError(
                    f"{meta} has the {column} {label[: LONGEST + 1]!r} for {row.filename!r}: "
                    f"use at most {LONGEST} {PLAIN_CHARACTERS}"
                )
    repeated = [name for name, count in Counter(row.filename for row in rows).items() if count > 1]
    if repeated:
        raise StudyError(f"{meta} lists {first(repeated)} more than once: keep one row for each file")


def recorded_by(devices: Collection[str], rows: Sequence[Row], meta: Path) -> list[Row]:
    """The rows of some devices, each of which must have recorded something."""
    present = {row.device for row in rows}
    absent = [device for device in devices if device not in present]
    if absent:
        raise StudyError(
            f"{meta} has no clip of device {quoted(absent)} in source_label: choose from {quoted(sorted(present))}"
        )
    return [row for row in rows if row.device in devices]


def check_scenes(rows: Sequence[Row], meta: Path) -> None:
    """There must be scenes to tell apart, and of each a clip to train on and one to validate with."""
    counts = Counter(row.scene for row in rows)
    if len(counts) < 2:
        raise StudyError(f"{meta} has fewer than two scenes: add clips of another scene_label")
    for scene, count in sorted(counts.items()):
        if count == 1:
            raise StudyError(f"{meta} has one clip of the scene {scene!r}, too few to split: add some or remove it")


def check_expected(clips_per_scene: Mapping[str, int], expected: Mapping, what: str) -> None:
    """Compare the number of clips of each scene with a data set's `expected`; StudyError says where they differ.

    `what` begins the sentence: the file or folder that the clips are counted in.
    """
    clips, each = expected.get("clips"), expected.get("clips_per_scene")
    wrong = [f"{count} of {scene}" for scene, count in clips_per_scene.items() if each not in (None, count)]
    if wrong:
        raise StudyError(
            f"{what} has {', '.join(wrong)}, not {each} of each scene: complete it, or change the data set's `expected`"
        )
    if clips not in (None, found := sum(clips_per_scene.values())):
        raise StudyError(f"{what} has {found} clips, not {clips}: complete it, or change the data set's `expected`")


def check_clips(clips: pandas.DataFrame, devices: Collection[str], table: str) -> None:
    """Check a table of clips as `read_meta` and the rest here check a `meta.csv`: for whatever source lists them.

    `table` is the file that they are listed in, which a `StudyError` names.
    """
    missing = [column for column in COLUMNS if column not in clips]
    if missing:
        raise StudyError(f"{table} was listed without the columns {quoted(missing)}: clips.clip_table makes them")
    rows = [Row(*fields) for fields in clips[["filename", "scene", "identifier", "device"]].itertuples(index=False)]
    if not rows:
        raise StudyError(f"{table} lists no clip: add some")
    _check_labels(rows, Path(table))
    others = [row.filename for row in rows if row.device not in devices]
    if others:
        raise StudyError(f"{table} was listed with {first(others)}, which is of none of `devices`: leave others out")
    check_scenes(recorded_by(devices, rows, Path(table)), Path(table))


def is_of_the_system(name: str) -> bool:
    """Whether a file or a folder is one that an operating system leaves behind in a folder."""
    return name.startswith(".") or name.lower() in ("thumbs.db", "ehthumbs.db", "desktop.ini")


def files_in_audio(root: str | Path) -> dict[str, Path]:
    """The files in `root`/audio by their names in the table, in NFC: also where links lead, without the system's."""
    found = {}
    for folder, folders, names in os.walk(Path(root, "audio"), followlinks=True):
        here = Path(folder).resolve()
        folders[:] = (
            name
            for name in folders
            if not is_of_the_system(name)
            and not here.is_relative_to(Path(folder, name).resolve())  # a link to a folder that it lies in
        )
        for path in (Path(folder, name) for name in names if not is_of_the_system(name)):
            found[unicodedata.normalize("NFC", path.relative_to(root).as_posix())] = path
    return found


def names_of(row: Row) -> dict[str, str]:
    """The names of a clip: from its file name where that agrees with the row, otherwise from the row."""
    city, location = split_identifier(row.identifier)
    segment = ""
    name = parse_name(row.filename)
    if name and (name.scene, f"{name.city}-{name.location}", name.device) == row[1:]:
        city, location, segment = name.city, name.location, name.segment
    return {**row._asdict(), "city": city, "location": location, "segment": segment}


def quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def first(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return repr(names[0]) + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")
