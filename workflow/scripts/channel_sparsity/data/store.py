"""The log-mel store, to read: one HDF5 file with the features of all clips and their table.

Apart from `extraction`, which writes it, so that what trains on features does not hang on how they are decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas

from channel_sparsity.data.clips import COLUMNS
from channel_sparsity.files import StudyError

CLIPS_PER_SUM = 256


@dataclass(frozen=True)
class Store:
    """An open store; its features stay on disk until they are looked at."""

    logmel: np.memmap  # float32 [clips, bands, frames], in dB; what is written to it never reaches the file
    clips: pandas.DataFrame  # a row a clip, with the columns of `clips.COLUMNS`


def open_store(path: str | Path) -> Store:
    """Open a store, mapped into memory and without a lock; a file that is not whole raises `StudyError`."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            features = file["logmel"]
            clips = _read_clips(file)
            offset, shape = features.id.get_offset(), features.shape
        if len(shape) != 3 or shape[0] != len(clips):
            raise ValueError(f"features of shape {shape} beside {len(clips)} clips")
        return Store(np.memmap(path, "<f4", "c", offset, shape), clips)
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


def _read_clips(file: h5py.File) -> pandas.DataFrame:
    group = file["clips"]
    frame = pandas.DataFrame(
        {name: group[name].asstr()[:] if kind is str else group[name][:] for name, kind in COLUMNS.items()}
    )
    return frame.astype(dict(COLUMNS))
