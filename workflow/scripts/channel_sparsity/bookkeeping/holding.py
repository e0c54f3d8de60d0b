"""One process at a time in a folder, also where several hosts share it.

A lock of the system (flock) goes when its process dies, however it dies, but on a network's file system it may reach no
further than its own host, or not exist. So the holder also writes into the file who it is, and touches it every
`BEAT_S`. Who finds the lock free, but the record of a holder on another host, waits whether that one still touches it.
"""

import errno
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from channel_sparsity.files import StudyError

# Not filelock, whose FileLock ends at its host, fails where a file system has no flock (EOPNOTSUPP, ENOLCK) and leaves
# its file behind. Its SoftFileLease beats, but goes by process numbers on its own host, where a killed process that
# nobody has awaited still holds, and does not say since when. Most of this file would stay with either.
BEAT_S = 15.0
PATIENCE_S = 60.0

#: The file in a held folder.
LOCK = "lock"


@contextmanager
def held(folder: str | Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[Callable[[], None]]:
    """Hold `folder`, made if need be, for this process alone; removed at the end if it is empty.

    `StudyError` names the process that holds it already. Yields a function that raises it too if another process has
    taken over, thinking that this one (asleep for `PATIENCE_S`) was dead: to be called before results are written. That
    somebody has deleted the folder meanwhile takes nothing from what this process has computed.
    """
    path = Path(folder) / LOCK
    own = {"host": socket.gethostname(), "pid": os.getpid(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}

    def check() -> None:
        if path.exists() and (now := _holder(path)) != own:
            raise _taken(path, now)

    def beat() -> None:
        while not ended.wait(BEAT_S):
            with suppress(OSError):
                if _holder(path) == own:
                    os.utime(path)

    with _locked(path) as (file, alone_here):
        _wait_for_silence(path, own["host"] if alone_here else None, sleep)
        file.truncate(0)
        file.write(json.dumps(own).encode())
        file.flush()
        ended = threading.Event()
        threading.Thread(target=beat, daemon=True).start()
        try:
            yield check
        finally:
            ended.set()
            if _holder(path) == own:
                path.unlink()
    with suppress(OSError):
        path.parent.rmdir()


def holders(folders: Iterable[str | Path]) -> list[str]:
    """Who works in these folders on this host: a few words for each that is held."""
    found = []
    for path in (Path(folder) / LOCK for folder in folders):
        with suppress(OSError), open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(f"{path.parent} by {_words(_holder(path))}")
    return found


@contextmanager
def _locked(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """The lock's file, perhaps there before, open; and whether it is locked, which some file systems cannot."""
    while True:
        with suppress(FileExistsError):  # where it goes while it is made
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # its folder went with its last holder
        with open(descriptor, "r+b") as file:
            alone_here = True
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _taken(path, _holder(path)) from None
            except OSError as error:
                if error.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
                    raise
                alone_here = False
            if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
                continue  # its holder was just removing it
            yield file, alone_here
            return


def _wait_for_silence(path: Path, host: str | None, sleep: Callable[[float], None]) -> None:
    """Return once nobody else can be at work: at once after a holder on `host`, where the lock was free.

    Any other's record must stay untouched for `PATIENCE_S`, by this host's clock.
    """
    found = _holder(path)
    if not found or found["host"] == host:
        return
    touched, waited = path.stat().st_mtime_ns, 0.0
    while waited < PATIENCE_S:
        sleep(BEAT_S)
        waited += BEAT_S
        with open(path, "rb") as file:  # opening it asks a network's file system anew
            if os.fstat(file.fileno()).st_mtime_ns != touched:
                raise _taken(path, _holder(path))


def _holder(path: Path) -> dict:
    """Who holds the folder, as the holder wrote it; empty if it has written nothing (yet)."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _words(record: dict) -> str:
    if not record:
        return "a process that has only just begun"
    return f"process {record['pid']} on {record['host']} since {record['since']}"


def _taken(path: Path, record: dict) -> StudyError:
    return StudyError(
        f"{path.parent.parent} is being worked on by {_words(record)}: wait for it or end it, then run again"
    )
