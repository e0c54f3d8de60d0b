"""A file that is still on its way: it outlives the process that fills it, and is filled by one process at a time."""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from channel_sparsity.files import StudyError, cannot_write

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0  # how often to see whether another process has let go of the file


class Partial:
    """`<name>.partial`, open and held by this process; what cannot be written raises `StudyError`."""

    def __init__(self, file: FileIO):
        self._file = file
        self.path = Path(file.name)

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return os.fstat(self._file.fileno()).st_size

    def append(self, data: bytes) -> None:
        """Hand `data` to the system, so that only a crash of the machine can lose it."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def clear(self) -> None:
        """Forget all bytes."""
        self._file.truncate(0)

    def become(self, path: Path) -> None:
        """Take the name of the whole file, once all is on the disk."""
        try:
            os.fsync(self._file.fileno())
            os.replace(self.path, path)
        except OSError as error:
            raise _unwritable(self.path, error) from error


@contextmanager
def partial_of(path: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[Partial]:
    """The partial file of `path`, beside it, for this process alone; others wait. It is removed if it is left empty."""
    name = path.with_name(f"{path.name}.partial")
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(name, "ab", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _unwritable(name, error) from error
        with file:
            _lock(file, sleep)
            if not _still_there(file):
                continue  # another process renamed or removed it while this one waited
            partial = Partial(file)
            try:
                yield partial
            finally:
                if not partial.length:
                    name.unlink(missing_ok=True)
            return


def _lock(file: FileIO, sleep: Callable[[float], None]) -> None:
    """Wait until no other process holds the file; the system lets go of it when a process ends, however it ends."""
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                log.warning("%s is being written by another process: waiting until that has finished", file.name)
            told = True
            sleep(LOOK_AGAIN_S)
        except OSError as error:
            log.warning("%s cannot be locked (%s): let only one run at a time write it", file.name, error.strerror)
            return


def _still_there(file: FileIO) -> bool:
    """Whether the name of an open file still leads to it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except FileNotFoundError:
        return False


def _unwritable(name: Path, error: OSError) -> StudyError:
    return StudyError(f"{cannot_write(name, error)}; what has come so far is kept")


def md5_of(path: str | Path) -> str:
    """The MD5 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
