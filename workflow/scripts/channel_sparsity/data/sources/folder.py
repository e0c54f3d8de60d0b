"""Clips in a folder laid out like the TAU data sets: `audio/`, listed in a tab-separated `meta.csv`."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import pandas

from channel_sparsity.data.clips import clip_table
from channel_sparsity.data.meta import Row, files_in_audio, first, names_of, read_meta, recorded_by
from channel_sparsity.data.sources import PATH, DataSource, Extent
from channel_sparsity.files import StudyError

HEADER_READERS = 8  # threads: to open a file is mostly to wait


class Source(DataSource):
    """A folder of recordings, which is only read."""

    settings: ClassVar = {
        "path": PATH
        | {
            "wanted": "a folder whose path has no { } < >, which Snakemake reads otherwise",
            "description": "For `folder`: the folder that holds audio/ and meta.csv.",
        }
    }
    #: A record that was unpacked by hand is a folder: what the configuration says of the record may stay.
    tolerated: ClassVar = ("record",)

    @property
    def folder(self) -> str:
        return self.block["path"]

    def path_of(self, filename: str) -> Path:
        return find(Path(self.folder), filename)

    def list_clips(self) -> pandas.DataFrame:
        return read_folder(self.folder, self.block["devices"])

    @property
    def description(self) -> str:
        return f"The data set {self.dataset} is a folder of recordings that whoever ran the study brought along."

    @property
    def licence(self) -> str:
        if "licence" not in self.block and "record" in self.block:
            return f"If the folder holds what the configuration names, then: {self.block['record']['licence']}"
        return super().licence

    def _rows(self) -> list[Row]:
        """What the table says, without a look at the clips."""
        _check_folder(Path(self.folder))
        return recorded_by(self.block["devices"], read_meta(Path(self.table)), Path(self.table))

    def extent(self) -> Extent:
        rows = self._rows()
        return Extent(len(rows), len({row.scene for row in rows}))

    def first(self, count: int) -> list[str]:
        return [row.filename for row in self._rows()[:count]]


def read_folder(root: str | Path, devices: Collection[str]) -> pandas.DataFrame:
    """The table (`clips.COLUMNS`) of the clips that `devices` recorded, checked as far as headers tell.

    City and location come from the file name where it follows TAU's naming and agrees with its row, otherwise
    from `identifier` (`city-location`, or any name of a place). Rows of other devices need no file. Raises
    `StudyError` for a folder or a table that is missing, empty or malformed, rows without a file, files in
    audio/ without a row, and clips that are empty or cannot be opened.
    """
    root = Path(root)
    meta = root / "meta.csv"
    _check_folder(root)
    rows = read_meta(meta)
    _check_unlisted(rows, root)
    rows = recorded_by(devices, rows, meta)
    _check_present(rows, root)
    with ThreadPoolExecutor(HEADER_READERS) as readers:
        headers = list(readers.map(header_of, [find(root, row.filename) for row in rows]))
    return clip_table([{**names_of(row), **header} for row, header in zip(rows, headers, strict=True)])


def find(root: Path, filename: str) -> Path:
    """The file of a name in NFC, which may be written otherwise on the disk: macOS takes letters and marks apart."""
    path = root / filename
    return path if path.exists() else _files_in_audio(root).get(filename, path)


_files_in_audio = lru_cache(maxsize=1)(files_in_audio)


def _check_folder(root: Path) -> None:
    if not root.is_dir():
        raise StudyError(f"{root} is not a folder: name the folder that holds audio/ and meta.csv")


def _check_unlisted(rows: Sequence[Row], root: Path) -> None:
    """Every file in audio/ needs a row, and rows are of such files."""
    listed, meta = {row.filename for row in rows}, root / "meta.csv"
    if outside := sorted(name for name in listed if not name.startswith("audio/")):
        raise StudyError(
            f"{meta} lists {first(outside)}, but not in audio/: put the clips there and write 'audio/{outside[0]}'"
        )
    if unlisted := sorted(files_in_audio(root).keys() - listed):
        raise StudyError(f"{meta} has no row for {first(unlisted)}: add one or move the file away")


def _check_present(rows: Sequence[Row], root: Path) -> None:
    absent = [row.filename for row in rows if not find(root, row.filename).is_file()]
    if absent:
        raise StudyError(f"{root / 'meta.csv'} lists {first(absent)}, but no such file: add it or remove the row")


def header_of(path: Path) -> dict[str, float | int]:
    """Duration, rate and channels of a clip, without decoding it; `StudyError` as `audio.opened` raises it."""
    from channel_sparsity.data.audio import opened

    with opened(path) as sound:
        return {
            "duration_s": sound.frames / sound.samplerate,
            "sample_rate_hz": sound.samplerate,
            "channels": sound.channels,
        }
