"""The clips of one archive as a shard (features and table), and shards as the store.

A shard is two files: the features as NumPy's .npy, float32 [clips, bands, frames], and the table of the clips as CSV.
Clips stand in the order of their names.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas

from channel_sparsity.data.archives import Member, contents, read_archived_clip
from channel_sparsity.data.clips import COLUMNS, clip_table
from channel_sparsity.data.extraction import compute
from channel_sparsity.data.findings import FINDINGS, Finding
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.meta import Row, first, names_of
from channel_sparsity.data.writing import Batch, write_batches
from channel_sparsity.files import StudyError, cannot_write, read_csv, whole_and_large, write_csv

CLIPS_AT_ONCE = 64
SHARD_COLUMNS = {**COLUMNS, **FINDINGS}


def archived_clips(archive: Path, rows: Sequence[Row], devices: Collection[str]) -> list[tuple[Row, Member]]:
    """The clips of some devices that an archive holds, by name: perhaps none.

    `rows` are the whole data set's. A WAV file without a row raises `StudyError`.
    """
    listed = {row.filename: row for row in rows}
    members = contents(archive)
    unlisted = [name for name in sorted(members) if name.lower().endswith(".wav") and name not in listed]
    if unlisted:
        raise StudyError(
            f"{archive} holds {first(unlisted)}, of which meta.csv says nothing: check `record` and its files"
        )
    return [(listed[name], members[name]) for name in sorted(members.keys() & listed) if listed[name].device in devices]


def write_shard(
    features: str | Path,
    table: str | Path,
    clips: Sequence[tuple[Row, Member]],
    settings: LogMel,
    workers: int,
    keep: str | Path | None,
    report: Callable[[int], None],
) -> None:
    """Decode clips from their archive and write their features and their table, each file whole or not at all.

    The recordings themselves are kept below the folder `keep`, if one is given, under their names in `meta.csv`.
    `report(done)` is called as clips are finished; for `workers` see `extraction.compute`. Memory does not
    depend on the number of clips. A clip that cannot be used or a full disk raises `StudyError`.
    """
    read = partial(read_archived_clip, folder=None if keep is None else Path(keep))
    lines: list[dict] = []
    try:
        with whole_and_large(features) as temporary, open(temporary, "wb") as file:
            shape = (len(clips), settings.n_mels, settings.frames)
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for batch in compute(read, [member for _, member in clips], settings, workers):
                file.write(batch.features.data)
                for clip, finding in zip(batch.clips, batch.findings, strict=True):
                    row, _ = clips[len(lines)]
                    lines.append({**names_of(row), **clip._asdict(), **finding._asdict()})
                report(len(lines))
        write_csv(table, pandas.DataFrame(lines, columns=list(SHARD_COLUMNS)).astype(SHARD_COLUMNS))
    except OSError as error:
        raise cannot_write(features, error) from error


def merge_shards(
    store: str | Path,
    shards: Mapping[str, tuple[str | Path, str | Path]],
    rows: Sequence[Row],
    settings: LogMel,
    report: Callable[[int], None],
) -> tuple[pandas.DataFrame, dict, pandas.DataFrame]:
    """Write the store of all clips from the shards (features, table) of the archives, which are named.

    Returns the table of the clips and what `writing.write_batches` returns. The store's bytes do not depend on which
    archive holds which clip. `rows` are those of the wanted clips: one that no archive holds, or two, raises
    `StudyError`.
    """
    tables = [
        read_csv(table, SHARD_COLUMNS, "table of a shard").assign(archive=archive)
        for archive, (_, table) in shards.items()
    ]
    for table in tables:
        table["row"] = np.arange(len(table))
    clips = pandas.concat(tables).sort_values("filename", ignore_index=True)
    _check_once(clips)
    _check_complete(clips, rows, list(shards))
    with ExitStack() as files:
        opened = {archive: files.enter_context(open(features, "rb")) for archive, (features, _) in shards.items()}
        counts, findings = write_batches(store, clips, settings, _gather(clips, opened, settings), report)
    return clip_table(clips[list(COLUMNS)]), counts, findings


def _gather(clips: pandas.DataFrame, shards: Mapping[str, BinaryIO], settings: LogMel) -> Iterator[Batch]:
    """The features of the clips, in their order, from wherever they are."""
    starts = {}  # files are read rather than mapped: mapped pages count as memory
    for archive, file in shards.items():
        np.lib.format.read_magic(file)
        (_, *each), _, kind = np.lib.format.read_array_header_1_0(file)
        if (*each, kind) != (settings.n_mels, settings.frames, np.dtype("<f4")):
            raise StudyError(f"{file.name} holds other features than these settings give: delete it and run again")
        starts[archive] = file.tell()
    for start in range(0, len(clips), CLIPS_AT_ONCE):
        some = clips.iloc[start : start + CLIPS_AT_ONCE]
        features = np.empty((len(some), settings.n_mels, settings.frames), "<f4")
        for place, (archive, row) in enumerate(zip(some["archive"], some["row"], strict=True)):
            shards[archive].seek(starts[archive] + row * features[0].nbytes)
            if shards[archive].readinto(features[place]) != features[0].nbytes:
                raise StudyError(f"{shards[archive].name} ends too early: delete it and run again")
        yield Batch(features, [Finding(*row) for row in some[list(Finding._fields)].itertuples(index=False)])


def _check_once(clips: pandas.DataFrame) -> None:
    """No clip may be in two archives, since the two may differ."""
    twice = clips[clips["filename"].duplicated(keep=False)]
    if len(twice):
        name = twice["filename"].iloc[0]
        archives = twice.loc[twice["filename"] == name, "archive"]
        raise StudyError(f"{name} is in more than one archive ({', '.join(archives)}): check `record` and its files")


def _check_complete(clips: pandas.DataFrame, rows: Sequence[Row], archives: Sequence[str]) -> None:
    """Every wanted clip must be there; otherwise say which are not, and where they were looked for."""
    found = set(clips["filename"])
    missing = sorted(row for row in rows if row.filename not in found)
    if missing:
        kinds = Counter(f"{row.scene} by device {row.device}" for row in missing)
        raise StudyError(
            f"{len(missing)} of {len(rows)} clips are in none of the archives ("
            f"{', '.join(f'{count} of {kind}' for kind, count in sorted(kinds.items()))}; "
            f"first {', '.join(row.filename for row in missing[:3])}; archives: {', '.join(archives)}): "
            "list all archives of the record under `record.audio`"
        )
