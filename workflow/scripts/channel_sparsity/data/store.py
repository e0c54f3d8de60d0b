"""The log-mel store: one HDF5 file with the features of all clips, their table and every setting."""

import hashlib
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields
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
CLIPS_PER_SUM = 256
TABLE_BYTES, TABLE_BYTES_PER_CLIP = 65536, 1024  # more than all but the features takes up


@dataclass(frozen=True)
class Store:
    """An open store; its features stay on disk until they are looked at."""

    logmel: np.memmap  # float32 [clips, bands, frames], in dB; what is written to it never reaches the file
    clips: pandas.DataFrame  # a row a clip, with the columns of `clips.COLUMNS`
    settings: LogMel


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


def open_store(path: str | Path) -> Store:
    """Open a store, mapped into memory and without a lock; a file that is not whole raises `StudyError`."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            features = file["logmel"]
            names = [field.name for field in fields(LogMel)]
            settings = LogMel(**{name: _setting(features.attrs[name]) for name in names})
            clips = _read_clips(file)
            offset, shape = features.id.get_offset(), features.shape
        if shape != (len(clips), settings.n_mels, settings.frames):
            raise ValueError(f"features of shape {shape} beside {len(clips)} clips")
        return Store(np.memmap(path, "<f4", "c", offset, shape), clips, settings)
    except FileNotFoundError as error:
        raise StudyError(f"{path} does not exist: run the feature extraction first") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise StudyError(f"{path} is damaged or no log-mel store ({error}): delete it and run again") from error


def band_statistics(logmel: np.ndarray, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation in dB, float64 [bands], over some rows of features [clips, bands, frames].

    The rows are those of the training subset, so that nothing is learned from validation clips. A band that
    never changes gets a standard deviation of 1 and is 0 after normalisation. Memory does not depend on the
    number of rows.
    """
    rows = np.sort(rows)
    # Differences from some value of the band: a constant band gives exact zeros, others lose no digits.
    origin = np.asarray(logmel[rows[0], :, 0], np.float64)
    sums, squares = np.zeros_like(origin), np.zeros_like(origin)
    for start in range(0, len(rows), CLIPS_PER_SUM):
        differences = logmel[rows[start : start + CLIPS_PER_SUM]] - origin[:, None]
        sums += differences.sum(axis=(0, 2))
        squares += np.einsum("cbf,cbf->b", differences, differences)
    count = len(rows) * logmel.shape[2]
    deviation = np.sqrt(np.maximum(squares / count - np.square(sums / count), 0))
    return origin + sums / count, np.where(deviation > 0, deviation, 1.0)


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


def _read_clips(file: h5py.File) -> pandas.DataFrame:
    group = file["clips"]
    frame = pandas.DataFrame(
        {name: group[name].asstr()[:] if kind is str else group[name][:] for name, kind in COLUMNS.items()}
    )
    return frame.astype(dict(COLUMNS))


def _attribute(value: float | int | None) -> float | int | h5py.Empty:
    """A setting as HDF5 holds it: None becomes a null value."""
    return h5py.Empty("f8") if value is None else value


def _setting(value: np.generic | h5py.Empty) -> float | int | None:
    return None if isinstance(value, h5py.Empty) else value.item()
