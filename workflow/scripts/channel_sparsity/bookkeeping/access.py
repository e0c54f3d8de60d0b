"""What keeps a run from its files: missing permissions, and a lock that another run holds or has left."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from channel_sparsity.files import StudyError

#: The arguments, each ended by a zero, of a process that is Snakemake itself, and none of its jobs.
_SNAKEMAKE = re.compile(rb"(?:^|\0|/)snakemake\0")


def refuse_unreadable(files: Iterable[str | Path]) -> None:
    """StudyError for the first of these files that is there and cannot be read."""
    for file in map(Path, files):
        if file.exists() and not os.access(file, os.R_OK):
            raise StudyError(f"{file} cannot be read: give yourself permission (chmod u+r)")


def refuse_unwritable(folders: Iterable[str | Path]) -> None:
    """StudyError for the first of these folders, or what there is above it, that nothing can be written to."""
    for folder in sorted(map(Path, folders)):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise StudyError(read_only(there))


def read_only(path: str | Path) -> str:
    """What to say and to do where a file or folder cannot be written to."""
    return (
        f"{path} is read-only for you, but the run would write to it: make it writable (chmod -R u+w), or work in "
        "another folder (--directory)"
    )


def locked(folder: Path, processes: Path = Path("/proc")) -> str:
    """What to say and to do where Snakemake finds the files of `folder` locked."""
    others = []
    for process in processes.glob("[0-9]*"):
        with suppress(OSError):
            here = os.path.samefile(process / "cwd", folder) and process.name != str(os.getpid())
            words = (process / "cmdline").read_bytes() if here else b""
            # What a killed run left on a cluster goes on as a Snakemake of its own, and holds no lock.
            if _SNAKEMAKE.search(words) and b"\0--target-jobs\0" not in words:
                others.append(process.name)
    if others:
        return (
            f"{folder} is locked by another run, which is at work (process {', '.join(others)}): let it end, or end it "
            "with Ctrl-C, and give this command again."
        )
    return (
        f"{folder} is locked by a run that was killed, or that is at work on another host. If none is, give this "
        "command once with --unlock, and then again."
    )
