"""How long a run will still take, said on the terminal while it lasts."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread

from channel_sparsity.words import duration

#: How often it is said, at most.
EVERY_S = 30.0

#: The least share of a run that must be done before it tells the pace of the rest.
LEAST_SHARE = 0.05


def seconds_left(weights: Mapping[Path, float], since: float, now: float) -> float | None:
    """Seconds until every job has ended, at the pace of those that have; None if that cannot be told.

    `weights`: by the last file that each job writes, how long it is expected to take, on any scale. `since`: when the
    first of them could begin, and `now`, in seconds since the epoch. A file that is older is still to be written. The
    pace is that of when a job ended last, and from then on time runs down: with each second in which none ends the pace
    up to `now` would seem slower. Nothing can be told of too few jobs, nor once that time is over.
    """
    ends = {}
    for file in weights:
        with suppress(OSError):  # a job that is to make it anew may just delete it
            ends[file] = file.stat().st_mtime
    ends = {file: end for file, end in ends.items() if end >= since}
    done, total = sum(weights[file] for file in ends), sum(weights.values())
    if done < LEAST_SHARE * total or not done:
        return None
    last = max(ends.values())
    left = (last - since) * (total - done) / done - (now - last)
    return left if left > 0 else None


class Remaining(Thread):
    """Says it every `EVERY_S`, and keeps no process from ending.

    `weights` gives those of `seconds_left` when asked. The jobs' time counts from when the file `first` was written.
    """

    def __init__(self, weights: Callable[[], Mapping[Path, float]], first: Path):
        super().__init__(daemon=True)
        self._weights, self._first, self._began = weights, first, time.time()

    def run(self) -> None:
        weights = {}
        while True:
            time.sleep(EVERY_S)
            with suppress(FileNotFoundError):  # of `first`, until it is made
                since = max(self._began, self._first.stat().st_mtime)
                weights = weights or self._weights()  # once: of a thousand jobs that takes a second
                seconds = seconds_left(weights, since, time.time())
                if seconds is not None:
                    print(f"About {duration(seconds)} left.", file=sys.stderr, flush=True)
