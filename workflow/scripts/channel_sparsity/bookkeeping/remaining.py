"""How long a run will still take, said on the terminal while it lasts."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from channel_sparsity.report.words import duration

#: How often it is said, at most.
EVERY_S = 30.0

#: The least share of a run that must be done before it tells the pace of the rest.
LEAST_SHARE = 0.05


def seconds_left(weights: Mapping[Path, float], since: float, now: float) -> float | None:
    """Seconds until every job of a run has ended, at the pace of those that have; None while they are too few to tell.

    `weights`: by the last file that each job writes, how long it is expected to take, on any scale. `since`: when the
    run began, and `now`, in seconds since the epoch. A file that is older than the run is still to be written.
    """
    done = sum(weight for file, weight in weights.items() if file.exists() and file.stat().st_mtime >= since)
    total = sum(weights.values())
    if done < LEAST_SHARE * total or not done:
        return None
    return (now - since) * (total - done) / done


class Remaining(Thread):
    """Says it every `EVERY_S`, and keeps no process from ending. `weights` gives those of `seconds_left` when asked."""

    def __init__(self, weights: Callable[[], Mapping[Path, float]]):
        super().__init__(daemon=True)
        self._weights, self._since = weights, time.time()

    def run(self) -> None:
        while True:
            time.sleep(EVERY_S)
            seconds = seconds_left(self._weights(), self._since, time.time())
            if seconds is not None:
                print(f"About {duration(seconds)} left.", file=sys.stderr, flush=True)
