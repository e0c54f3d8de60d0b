"""Recordings to log-mel energies, over several processes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas

from channel_sparsity.data.audio import Clip
from channel_sparsity.data.findings import examine
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.writing import Batch, write_batches
from channel_sparsity.files import StudyError

CLIPS_AT_ONCE = 16  # 1 MB of features: little to hold, and much work beside the cost of handing it over
BATCHES_AHEAD = 2  # for each worker, so that none waits while the file is written
AUDIO_FOR_ONE_S = 4000.0  # less than this is done before other processes have started and paid for it (0.7 s each)
AUDIO_PER_WORKER_S = 600.0  # a TAU archive, some 9,000 s, thus keeps up to 15 cores busy

#: From whatever stands for a clip and the settings to the clip. Processes share it: it can be pickled.
Reader = Callable[[object, LogMel], Clip]


def write_store(
    path: str | Path,
    clips: pandas.DataFrame,
    read: Reader,
    settings: LogMel,
    workers: int,
    report: Callable[[int], None],
) -> tuple[dict, pandas.DataFrame]:
    """Compute the features of `clips`, which `read` reads by their file names, and write them as a store.

    For `report` and what is returned see `writing.write_batches`; for `workers` see `compute`. A clip that cannot
    be used or a full disk raises `StudyError`, and no file is left.
    """
    batches = compute(read, list(clips["filename"]), settings, workers)
    return write_batches(path, clips, settings, batches, report)


def compute(read: Reader, sources: Sequence, settings: LogMel, workers: int) -> Iterator[Batch]:
    """The features of the clips that `read` makes of the sources, batch by batch, in their order.

    More than one of the `workers` is used where there is much audio. They are spawned processes, which
    import the main script: its work must stand behind `if __name__ == "__main__"`.
    """
    batches = [sources[start : start + CLIPS_AT_ONCE] for start in range(0, len(sources), CLIPS_AT_ONCE)]
    audio_s = len(sources) * settings.duration_s
    workers = min(workers, int(audio_s // AUDIO_PER_WORKER_S))
    if workers <= 1 or audio_s < AUDIO_FOR_ONE_S:
        yield from (_compute(read, batch, settings) for batch in batches)
        return
    # Spawned, since a fork of a process with threads, which numerical libraries start, can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    pending: deque[Future] = deque()
    try:
        for batch in batches:
            pending.append(pool.submit(_compute, read, batch, settings))
            if len(pending) > workers * BATCHES_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise StudyError("A process that computed features was killed: give it more memory or fewer cores") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _compute(read: Reader, sources: Sequence, settings: LogMel) -> Batch:
    """The features of one batch."""
    features = np.empty((len(sources), settings.n_mels, settings.frames), "<f4")
    clips, findings = [], []
    for row, source in enumerate(sources):
        clip = read(source, settings)
        features[row] = settings(clip.waveform)
        findings.append(examine(clip, features[row]))
        clips.append(clip._replace(waveform=None))
    return Batch(features, findings, clips)
