"""Files that appear whole or not at all, and errors that a user can act on."""

import fcntl
import glob
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever imports this may not want it loaded, or not yet (see `arithmetic`)
    import pandas


class StudyError(Exception):
    """A mistake that the user can put right: one sentence that names the file, the key or the clip and what to do."""


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` at the end, remove it if anything goes wrong.

    The name is unique, so that two processes that write the same file never mix their bytes, and it keeps the suffix,
    because libraries choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cannot_write(path: str | Path, error: OSError) -> StudyError:
    """The sentence for a full disk, or whatever else keeps a file from being written."""
    return StudyError(f"{path} cannot be written ({error.strerror or error}): make room for it and run again")


@contextmanager
def whole_and_large(path: str | Path) -> Iterator[Path]:
    """`whole`, which first removes what processes that were killed while they wrote this file have left beside it."""
    path = Path(path)
    for leftover in path.parent.glob(glob.escape(f".{path.stem}.") + "????????" + glob.escape(path.suffix)):
        # A process that still writes holds its file. Where files cannot be locked, leftovers stay.
        with suppress(OSError), open(leftover, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()
    with whole(path) as temporary, open(temporary, "rb") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield temporary


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data`; a full disk raises `StudyError`."""
    try:
        with whole(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends on every system."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, content: Mapping) -> None:
    """Write `content` as indented JSON; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> dict:
    """Read a JSON file, naming it if it cannot be read."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} cannot be read as JSON ({error}): delete it and run again") from error


def write_csv(path: str | Path, frame: "pandas.DataFrame") -> None:
    """Write a table without its index; floats keep every digit."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))


def read_csv(path: str | Path, columns: Mapping[str, type] | None = None, what: str = "table") -> "pandas.DataFrame":
    """Read a table. `NA` and `nan` are names like others: only an empty number is missing, and an empty text is a text.

    `columns`: those to take, and their types; without it all of them, as they look, and empty fields are missing.
    `StudyError` for a file that cannot be read or lacks a column: that it is no such table, which `what` describes.
    """
    import pandas

    missing = [""] if columns is None else {name: [""] for name, kind in columns.items() if kind is not str}
    try:
        frame = pandas.read_csv(path, dtype=columns and dict(columns), keep_default_na=False, na_values=missing)
        return frame if columns is None else frame[list(columns)]
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(f"{path} is no {what} ({error}): delete it and run again") from error


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
