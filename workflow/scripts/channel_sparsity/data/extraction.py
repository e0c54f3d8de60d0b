"""Recordings to the log-mel store: one HDF5 file with the features of all clips, their table and every setting."""

import hashlib
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import pandas

from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.clips import COLUMNS
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError, whole

CLIPS_AT_ONCE = 16  # 1 MB of features: little to hold, and much work beside the cost of handing it over
BATCHES_AHEAD = 2  # for each worker, so that none waits while the file is written
CLIPS_PER_WORKER = 256  # fewer are done before another process has started
TABLE_BYTES, TABLE_BYTES_PER_CLIP = 65536, 1024  # more than all but the features takes up


def write_store(
    path: str | Path,
    clips: pandas.DataFrame,
    root: str | Path,
    settings: LogMel,
    workers: int,
    report: Callable[[int, int], None],
) -> dict:
    """Compute the features of `clips`, whose files lie below `root`, and write them as a store.

    `report(done, total)` is called as clips are finished. Returns how many clips there are (`clips`), were
    `padded`, were `cut` and are `silent`, how many each scene has (`clips_per_scene`), and the SHA-256 of the
    features, as little-endian float32 in the order of the clips (`features_sha256`). The file's bytes do not
    depend on the number of workers, and memory not on the number of clips. A clip that cannot be used or a
    full disk raises `StudyError`, and no file is left.

    More than one of the `workers` is used where there are many clips. They are spawned processes, which
    import the main script: its work must stand behind `if __name__ == "__main__"`.
    """
    paths = [Path(root) / name for name in clips["filename"]]
    notes: Counter[str] = Counter()
    digest = hashlib.sha256()
    done = 0
    try:
        with whole(path) as temporary:
            start = _write_all_but_features(temporary, clips, settings)
            with open(temporary, "r+b") as file:
                file.seek(start)
                for batch, batch_notes in _computed(paths, settings, workers):
                    file.write(batch.data)
                    digest.update(batch.data)
                    notes.update(batch_notes)
                    done += len(batch)
                    report(done, len(paths))
    except OSError as error:
        raise StudyError(
            f"{path} cannot be written ({error.strerror or error}): make room for it and run again"
        ) from error
    return {
        "clips": len(paths),
        **{note: notes[note] for note in ("padded", "cut", "silent")},
        "clips_per_scene": dict(sorted(Counter(clips["scene"]).items())),
        "features_sha256": digest.hexdigest(),
    }


def _computed(paths: list[Path], settings: LogMel, workers: int) -> Iterator[tuple[np.ndarray, Counter[str]]]:
    """The results of `_compute`, batch by batch, in the order of the clips."""
    batches = [paths[start : start + CLIPS_AT_ONCE] for start in range(0, len(paths), CLIPS_AT_ONCE)]
    workers = min(workers, len(paths) // CLIPS_PER_WORKER)
    if workers <= 1:
        yield from (_compute(batch, settings) for batch in batches)
        return
    # Spawned, since a fork of a process with threads, which numerical libraries start, can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    pending: deque[Future] = deque()
    try:
        for batch in batches:
            pending.append(pool.submit(_compute, batch, settings))
            if len(pending) > workers * BATCHES_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise StudyError("A process that computed features was killed: give it more memory or fewer cores") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _compute(paths: Sequence[Path], settings: LogMel) -> tuple[np.ndarray, Counter[str]]:
    """The features of some clips [clips, bands, frames], and how many were padded, cut or silent."""
    features = np.empty((len(paths), settings.n_mels, settings.frames), "<f4")
    notes: Counter[str] = Counter()
    for row, path in enumerate(paths):
        waveform, adjustment = read_clip(path, settings)
        features[row] = settings(waveform)
        notes[adjustment] += 1
        notes["silent"] += not waveform.any()
    return features, notes


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
        features.attrs.update({name: _attribute(value) for name, value in asdict(settings).items()})
        return features.id.get_offset()


def _write_clips(file: h5py.File, clips: pandas.DataFrame) -> None:
    """Write the table of the clips as a dataset a column, text as UTF-8."""
    group = file.create_group("clips")
    for column, kind in COLUMNS.items():
        if kind is str:
            group.create_dataset(column, data=clips[column].to_numpy(object), dtype=h5py.string_dtype())
        else:
            group.create_dataset(column, data=clips[column].to_numpy(kind))


def _attribute(value: float | int | None) -> float | int | h5py.Empty:
    """A setting as HDF5 holds it: None becomes a null value."""
    return h5py.Empty("f8") if value is None else value
