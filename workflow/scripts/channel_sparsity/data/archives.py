"""Archives (zip) of a data set's files, read in place: nothing is unpacked but what is asked for.

What is wrong with an archive is said in one sentence that names it and the member. Names of members are never used as
paths.
"""

import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from channel_sparsity.data.audio import Clip, read_clip
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.meta import is_of_the_system
from channel_sparsity.files import StudyError, write_bytes

LARGEST_MEMBER = 2**28  # bytes; a member is held in memory while it is decoded: TAU's have 1.3 MB
ENCRYPTED = 1  # the bit among a member's flags
AGAIN = "get the archive again, and if that does not help, ask its makers"


class Member(NamedTuple):
    """A file in an archive."""

    archive: Path
    name: str  # as the archive has it
    filename: str  # as `meta.csv` has it, in NFC

    def __str__(self) -> str:
        return f"{self.filename} in {self.archive}"


def contents(path: Path) -> dict[str, Member]:
    """The files in an archive by their names in the data set: without the one folder that holds them all, if any.

    Files that systems leave behind are overlooked. `StudyError` for what is no zip archive, and for members that are
    encrypted, are there twice, are too large or whose names lead out of their folder.
    """
    with _reading(path):
        infos = [info for info in _opened(path).infolist() if not info.is_dir()]
    files = [(_parts(info, path), info) for info in infos]
    files = [(parts, info) for parts, info in files if not any(map(is_of_the_system, parts))]
    tops = {parts[0] for parts, _ in files}
    below = len(tops) == 1 and tops != {"audio"} and all(len(parts) > 1 for parts, _ in files)
    found: dict[str, Member] = {}
    for parts, info in files:
        member = Member(path, info.filename, unicodedata.normalize("NFC", "/".join(parts[below:])))
        if member.filename in found:
            raise StudyError(f"{path} holds {member.filename} twice: {AGAIN}")
        if info.flag_bits & ENCRYPTED:
            raise StudyError(f"{member} is encrypted: {AGAIN}")
        if info.file_size > LARGEST_MEMBER:
            raise StudyError(f"{member} has {info.file_size} bytes, more than a clip may: {AGAIN}")
        found[member.filename] = member
    return found


def _parts(info: zipfile.ZipInfo, path: Path) -> tuple[str, ...]:
    """The folders and the name of a member, which must lie where its archive is unpacked."""
    place = PurePosixPath(info.filename)
    if place.is_absolute() or ".." in place.parts or any(character in info.filename for character in "\\:"):
        raise StudyError(f"{path} has a member that leads out of its folder, {info.filename!r}: do not use it")
    if not info.filename.isprintable():
        raise StudyError(f"{path} has a member whose name is no plain text, {info.filename!r}: do not use it")
    return place.parts


def find(archive: Path, filename: str) -> Member:
    """A file of the data set that an archive must hold."""
    member = contents(archive).get(filename)
    if member is None:
        raise StudyError(f"{archive} does not hold {filename}: check the names in the configuration")
    return member


def read_bytes(member: Member) -> bytes:
    """The bytes of a member, whose checksum (CRC) must be right."""
    with _reading(member.archive, member):
        return _opened(member.archive).read(member.name)


def read_archived_clip(member: Member, settings: LogMel, folder: Path | None = None) -> Clip:
    """A member as `audio.read_clip` reads a clip; its bytes are kept below `folder`, if one is given."""
    data = read_bytes(member)
    clip = read_clip(data, settings, str(member), AGAIN)
    if folder is not None:
        write_bytes(folder / member.filename, data)
    return clip


@lru_cache(maxsize=1)
def _opened(path: Path) -> zipfile.ZipFile:
    """An archive whose list of members is read once a process."""
    return zipfile.ZipFile(path)


@contextmanager
def _reading(path: Path, member: Member | None = None) -> Iterator[None]:
    """Say in a sentence what an archive is unfit for."""
    try:
        yield
    except FileNotFoundError as error:
        raise StudyError(f"{path} is missing, perhaps since another run is done with it: run again") from error
    # zipfile raises RuntimeError for encryption and NotImplementedError for compression that it does not know.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        what = f"{member} cannot be read" if member else f"{path} is no zip archive that can be read"
        raise StudyError(f"{what} ({error}): {AGAIN}") from error
