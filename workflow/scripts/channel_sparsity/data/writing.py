"""The log-mel store, to write: one HDF5 file with the features of all clips, their table and every setting."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas

from channel_sparsity.data.audio import Clip
from channel_sparsity.data.clips import COLUMNS
from channel_sparsity.data.findings import Finding, findings_table
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import cannot_write, sha256, whole_and_large, write_json

TABLE_BYTES, TABLE_BYTES_PER_CLIP = 65536, 1024  # more than all but the features takes up


class Batch(NamedTuple):
    """Some clips at a time."""

    features: np.ndarray  # little-endian float32 [clips, bands, frames]
    findings: list[Finding]
    clips: Sequence[Clip] = ()  # without their waveforms; what is merged has no need of them


def write_batches(
    path: str | Path,
    clips: pandas.DataFrame,
    settings: LogMel,
    batches: Iterable[Batch],
    report: Callable[[int], None],
) -> tuple[dict, pandas.DataFrame]:
    """Write a store of `clips` whose features come batch by batch, in the order of the clips.

    `report(done)` is called as clips are written. Returns how many clips there are (`clips`), were
    `padded`, were `cut` and are `silent`, how many each scene has (`clips_per_scene`), and the SHA-256 of the
    features, as little-endian float32 in the order of the clips (`features_sha256`); and the table of the findings.
    The file's bytes do not depend on how the clips fall into batches, and memory hardly on the number of clips. A full
    disk raises `StudyError`; then, and when a batch cannot be had, no file is left.
    """
    findings: list[Finding] = []
    digest = hashlib.sha256()
    try:
        with whole_and_large(path) as temporary:
            start = _write_all_but_features(temporary, clips, settings)
            with open(temporary, "r+b") as file:
                file.seek(start)
                for batch in batches:
                    file.write(batch.features.data)
                    digest.update(batch.features.data)
                    findings.extend(batch.findings)
                    report(len(findings))
    except OSError as error:
        raise cannot_write(path, error) from error
    adjusted = Counter(finding.adjustment for finding in findings)
    counts = {
        "clips": len(clips),
        "padded": adjusted["padded"],
        "cut": adjusted["cut"],
        "silent": sum(finding.silent for finding in findings),
        "clips_per_scene": dict(sorted(Counter(clips["scene"]).items())),
        "features_sha256": digest.hexdigest(),
    }
    return counts, findings_table(clips["filename"], findings)


def write_manifest(path: str | Path, content: Mapping, counts: Mapping, settings: LogMel, clips: str | Path) -> None:
    """Write what stands for a store, made from the block `content` and the table `clips`: JSON, with all digests."""
    size = {"bands": settings.n_mels, "frames": settings.frames, "clips_sha256": sha256(clips)}
    write_json(path, {"settings": content, **counts, **size})


def _write_all_but_features(path: Path, clips: pandas.DataFrame, settings: LogMel) -> int:
    """Write a store in which only the features are missing, and return the place in the file for them."""
    shape = (len(clips), settings.n_mels, settings.frames)
    # HDF5 can crash after it failed to write: try without it whether there is room, and write the features
    # without it too.
    room = TABLE_BYTES + TABLE_BYTES_PER_CLIP * len(clips)
    with open(path, "wb") as file:
        file.write(bytes(room))
        file.truncate(room + 4 * math.prod(shape))
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    with h5py.File(path, "w", locking=False) as file:
        _write_clips(file, clips)
        features = file.create_dataset("logmel", shape, "<f4", fill_time="never", dcpl=layout)
        features.attrs["unit"] = "dB"
        for name, value in asdict(settings).items():
            features.attrs[name] = h5py.Empty("f8") if value is None else value
        return features.id.get_offset()


def _write_clips(file: h5py.File, clips: pandas.DataFrame) -> None:
    """Write the table of the clips as a dataset a column, text as UTF-8."""
    group = file.create_group("clips")
    for column, kind in COLUMNS.items():
        if kind is str:
            group.create_dataset(column, data=clips[column].to_numpy(object), dtype=h5py.string_dtype())
        else:
            group.create_dataset(column, data=clips[column].to_numpy(kind))
