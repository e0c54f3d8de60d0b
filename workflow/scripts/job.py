"""What every script of a rule does around its work: its log, its progress, checksums, and errors in one sentence."""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

import channel_sparsity
from channel_sparsity.arithmetic import in_force
from channel_sparsity.bookkeeping.checksums import record, verify
from channel_sparsity.files import StudyError
from channel_sparsity.machine import described

#: How systems and libraries say that a disk is full, or the memory (the first is oneDNN's word for it).
NO_ROOM = ("No space left on device", "Disk quota exceeded")
NO_MEMORY = ("could not create a primitive", "allocate memory", "not enough memory", "out of memory", "bad_alloc")


class _Log(logging.FileHandler):
    """A log file; what it has no room for goes to the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr, flush=True)


@contextmanager
def job(snakemake, checksums: bool = True) -> Iterator[None]:
    """Log to the rule's log file; say an error in one sentence at its end, and stop.

    The terminal says it when the run ends (`bookkeeping.ending`). What is not the user's to put right also leaves its
    traceback in the log. With `checksums`, inputs are compared with the records of the jobs that wrote them, and the
    outputs' are recorded.
    """
    logging.basicConfig(
        handlers=[_Log(snakemake.log[0], mode="w", encoding="utf-8")],
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    logging.captureWarnings(True)
    logging.info("on %s, %s arithmetic", described(), in_force())
    started = time.perf_counter()
    try:
        _check_library(Path(snakemake.scriptdir))
        if checksums:
            verify(snakemake.input)
        yield
        if checksums:
            record(snakemake.output, Path(snakemake.log[0]).stem)
        logging.info("finished after %.1f s", time.perf_counter() - started)
    except Exception as error:
        if isinstance(error, StudyError):
            sentence = f"error: {error}"
        elif any(words in str(error) for words in NO_ROOM):
            sentence = f"error: {snakemake.rule} could not write its files ({error}): make room and run again"
        elif isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
            advice = "free some, use fewer --cores, or give jobs more (`mem_mb` on a cluster)"
            if "CUDA" in str(error):
                advice = "let fewer jobs share the GPU (--resources gpu=1), or use one with more memory"
            name = type(error).__name__
            sentence = f"error: {snakemake.rule} ran out of memory ({name}: {error}): {advice}, and run again"
        else:
            logging.error("%s", traceback.format_exc())
            sentence = (
                f"error: {snakemake.rule} failed with {type(error).__name__}: {error} (traceback in {snakemake.log[0]})"
            )
        logging.error("%s", sentence)
        sys.exit(1)


@contextmanager
def progress(label: str, total: int, unit: str, log_tenths: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, perhaps a line in the log at every tenth; yields a function that takes how much is done."""
    shown = 0
    with tqdm(total=total, desc=label, unit=unit, disable=not sys.stderr.isatty(), leave=False) as bar:

        def report(done: int) -> None:
            nonlocal shown
            if log_tenths and done * 10 // total > shown * 10 // total:
                logging.info("%s: %d of %d", label, done, total)
            bar.update(done - shown)
            shown = done

        yield report


def _check_library(scripts: Path) -> None:
    """StudyError unless the library is the one beside the scripts, whose digests stand in the records.

    Snakemake puts the scripts' folder behind what is installed: the library of another clone would win.
    """
    used = Path(channel_sparsity.__file__).resolve().parents[1]
    if used != scripts.resolve():
        raise StudyError(
            f"the library comes from {used}, not from {scripts}: uninstall it there (pip uninstall channel-sparsity, "
            "unset PYTHONPATH), or give this clone an environment of its own"
        )
