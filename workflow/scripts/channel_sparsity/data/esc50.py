"""ESC-50 (Piczak 2015), or its subset ESC-10, as a folder of recordings in TAU's layout."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from channel_sparsity.data.meta import META_COLUMNS, first, quoted
from channel_sparsity.files import StudyError, cannot_write, write_text

COLUMNS = ("filename", "fold", "category", "esc10", "src_file")
"""What is read of meta/esc50.csv; target and take are in the file names too."""

FOLDS = ("1", "2", "3", "4", "5")


class Line(NamedTuple):
    """A line of meta/esc50.csv."""

    filename: str
    fold: str
    category: str
    esc10: str
    src_file: str


def convert(source: Path, target: Path, esc10: bool) -> int:
    """Lay out the ESC-50 in `source` (its meta/ and audio/) as the folder `target`; how many clips it has.

    audio/ holds a symbolic link for each clip, so `source` has to stay where it is. In ``meta.csv`` the scene is the
    category, the identifier the fold and the Freesound recording that the clip was cut from (``fold1-100032``: clips of
    one recording stay together in a split by location), the device ``a``. ``evaluation_setup/fold1_train.csv`` lists
    the clips outside of fold 1, and so on, for ``split.kind: official``. `esc10`: only the ten classes of ESC-10.
    `StudyError` for a `source` that is no ESC-50, and for a `target` that is there already.
    """
    clips = [clip for clip in _read(source / "meta" / "esc50.csv") if clip.esc10 == "True" or not esc10]
    absent = [clip.filename for clip in clips if not (source / "audio" / clip.filename).is_file()]
    if absent:
        raise StudyError(f"{source / 'audio'} lacks {first(absent)}: unpack ESC-50 anew")
    if target.exists():
        raise StudyError(f"{target} is there already: name a folder that is not, or delete it")
    try:
        (target / "audio").mkdir(parents=True)
        for clip in clips:
            (target / "audio" / clip.filename).symlink_to((source / "audio" / clip.filename).resolve())
    except OSError as error:
        raise cannot_write(target, error) from error
    rows = [(_name(clip), clip.category, f"fold{clip.fold}-{clip.src_file}", "a") for clip in clips]
    for fold in FOLDS:
        listed = [(_name(clip),) for clip in clips if clip.fold != fold]
        _write(target / "evaluation_setup" / f"fold{fold}_train.csv", META_COLUMNS[:1], listed)
    _write(target / "meta.csv", META_COLUMNS, rows)
    return len(clips)


def _read(table: Path) -> list[Line]:
    try:
        with open(table, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
            if missing:
                raise StudyError(
                    f"{table} has no column {quoted(missing)}: give the folder of ESC-50 as it is published"
                )
            return [Line(*(row[column] for column in COLUMNS)) for row in reader]
    except OSError as error:
        raise StudyError(
            f"{table} cannot be read ({error.strerror}): name the folder that holds ESC-50's meta/ and audio/"
        ) from error


def _name(clip: Line) -> str:
    return f"audio/{clip.filename}"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    write_text(path, "".join("\t".join(row) + "\n" for row in [header, *rows]))
