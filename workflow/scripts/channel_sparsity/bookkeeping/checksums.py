"""Checksums beside the files of a study: what a job wrote is what the next one reads, or an error.

Beside a job's outputs lies a record of their SHA-256 in the format of ``sha256sum``, named after the job's log
(``train.log``, ``train.sha256``). Every job checks its inputs against such records before it reads them, so that a
truncated file, a tail of zeros after a crash or a flipped bit ends in one sentence and never in a number. A record also
says, in a comment that ``sha256sum`` skips, which folder it was written to: a lambda's folder under the name of another
is found out as well.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from channel_sparsity.files import StudyError, sha256, write_text

SUFFIX = ".sha256"

#: Not those that another job is just writing, or was killed while it wrote them: their names begin with a dot.
_RECORDS = f"[!.]*{SUFFIX}"

#: Files that differ between two runs of the same study. Nothing is computed from them, and the records stay the same.
VARYING = ("timing.csv", "run.json")

_PLACE = "# "
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def record(outputs: Iterable[str | Path], name: str) -> None:
    """Write the records of a job's outputs: ``<name>.sha256`` in each folder that holds one.

    An output may be a folder. Older records of the same files are removed.
    """
    folders = defaultdict(list)
    for output in map(Path, outputs):
        if output.name not in VARYING and not output.is_symlink():
            folders[output.parent].append(output)
    for folder, paths in folders.items():
        files = [file for path in paths for file in _files(path)]
        lines = {file.relative_to(folder).as_posix(): sha256(file) for file in files}
        ours = folder / f"{name}{SUFFIX}"
        for other in folder.glob(_RECORDS):
            with suppress(StudyError):  # what is damaged is for its reader to say: this job's work is done
                if other != ours and lines.keys() & _read(other).keys():
                    other.unlink(missing_ok=True)
        # Below the study, whose folder has its name from the configuration.
        place = "/".join(Path(os.path.normpath(folder)).parts[2:])
        write_text(ours, f"{_PLACE}{place}\n" + "".join(f"{digest}  {file}\n" for file, digest in lines.items()))


def verify(inputs: Iterable[str | Path]) -> None:
    """Compare files, or all files of folders, with their records; StudyError for the first that differs or was moved.

    A file without a record passes: it is the user's own.
    """
    for path in map(Path, inputs):
        for file, digest in _recorded(path):
            _compare(file, digest, path)


def verify_folder(folder: Path) -> set[Path]:
    """Compare all files below a folder that have a record with it, and return them; StudyError as in `verify`."""
    found = set()
    for path in sorted(folder.rglob(_RECORDS)):
        digests = _read(path)
        _check_place(path)
        for name, digest in digests.items():
            found.add(path.parent / name)
            _compare(path.parent / name, digest, path.parent / name)
    return found


def refuse_moved(folder: Path) -> None:
    """StudyError if any files below a folder were written to another: before a job is given them, and loses its own."""
    for path in sorted(folder.rglob(_RECORDS)):
        _check_place(path)


def _compare(file: Path, digest: str, output: Path) -> None:
    """Compare a file with its digest; it is a job's output, or lies in one."""
    remedy = f"delete {'it' if file == output else output} and run again"
    if not file.is_file():
        raise StudyError(f"{file} is missing, though its checksum is there: {remedy}")
    if sha256(file) != digest:
        raise StudyError(f"{file} is not as it was written, its checksum has changed: {remedy}")


def _recorded(path: Path) -> Iterator[tuple[Path, str]]:
    """The files of a path that a record in its folder names, with their digests."""
    for other in path.parent.glob(_RECORDS):
        for name, digest in _read(other).items():
            if name == path.name or name.startswith(f"{path.name}/"):
                _check_place(other)
                yield path.parent / name, digest


def _check_place(path: Path) -> None:
    """StudyError if the files of a record were written to a folder of another name, as its first line says it."""
    mark, _, place = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].partition(_PLACE)
    if place and not mark and not f"{os.path.abspath(path.parent)}/".endswith(f"/{place}/"):
        raise StudyError(
            f"{path.parent} holds the files of {place}: folders have changed places or names. Give them their names "
            "back, or delete those that hold other files than their names say, and run again"
        )


def _read(path: Path) -> dict[str, str]:
    """The digests in a record, by the names of the files."""
    try:
        text = path.read_text(encoding="utf-8").splitlines()
        lines = [_LINE.fullmatch(line) for line in text[bool(text) and text[0].startswith(_PLACE) :]]
    except (OSError, UnicodeDecodeError):
        lines = []
    if not lines or None in lines or any(line[2].startswith("/") or ".." in line[2].split("/") for line in lines):
        raise StudyError(f"{path} is damaged: delete it and what its job wrote beside it, and run again")
    return {line[2]: line[1] for line in lines}


def _files(path: Path) -> list[Path]:
    """A file, or the files below a folder, but for hidden ones."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
