"""A study's results as somebody hands them on: unpacked, and compared with their own records, before they are used.

What is handed on may come from anybody. Nothing of it is executed or unpickled, nothing is written outside the study's
folder, and a file that is not what its job wrote is named.
"""

import os
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from channel_sparsity.bookkeeping.checksums import SUFFIX, VARYING, verify_folder
from channel_sparsity.files import StudyError, read_json, sha256, whole

#: What a study's folder holds. Nothing else is unpacked.
SUFFIXES = (".csv", ".json", ".yaml", ".html", ".svg", ".png", ".h5", ".safetensors", ".onnx", ".md", ".txt", ".log")
SUFFIXES += (SUFFIX,)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_STUDY = re.compile(r"[a-z0-9][a-z0-9._-]*")


def unpack(archive: Path, results: Path) -> Path:
    """Unpack the zip archive of one study's folder below `results`; return the folder, which must not be there yet.

    The study's folder stands at the archive's top or in ``results/``; hidden files are left out. `StudyError` for what
    is no such archive, and for members that lead out of it, are links or devices, are there twice (in capitals or not),
    are of a kind that no study has, or do not fit on the disk. The folder appears whole or not at all.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive)
            study = next(iter(members)).parts[0]
            if (results / study).exists():
                raise StudyError(f"{results / study} is there already: move it away to adopt {archive}")
            results.mkdir(parents=True, exist_ok=True)
            _check_room(archive, sum(info.file_size for info in members.values()), results)
            with tempfile.TemporaryDirectory(prefix=".adopted.", dir=results) as folder:
                for path, info in members.items():
                    target = Path(folder, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(info) as source, open(target, "xb") as file:
                        shutil.copyfileobj(source, file)
                Path(folder, study).rename(results / study)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise StudyError(f"{archive} cannot be unpacked ({error}): get it again, or make room for it") from error
    return results / study


def _members(opened: zipfile.ZipFile, archive: Path) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files of the one study in an archive, by their paths from the study's folder on."""
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    seen = set()
    for info in opened.infolist():
        path, problem = PurePosixPath(info.filename), None
        parts = path.parts[1:] if path.parts[:1] == ("results",) else path.parts
        kind = stat.S_IFMT(info.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or any(character in info.filename for character in "\\:\0"):
            problem = "leads out of its folder"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a device"
        elif info.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        elif len(parts) < 2 or not _STUDY.fullmatch(parts[0]):
            problem = "is not in a study's folder"
        elif path.suffix not in SUFFIXES or not all(_NAME.fullmatch(part) for part in parts):
            problem = "no study has"
        elif "/".join(parts).lower() in seen:
            problem = "is there twice"
        if problem:
            raise StudyError(f"{archive} has a member that {problem}, {info.filename!r}: zip results/<study>/ alone")
        seen.add("/".join(parts).lower())
        found[PurePosixPath(*parts)] = info
    if len({path.parts[0] for path in found}) != 1:
        raise StudyError(f"{archive} does not hold one study: zip results/<study>/ alone")
    return found


def _check_room(archive: Path, size: int, results: Path) -> None:
    """A bomb, too, is an archive that does not fit."""
    free = shutil.disk_usage(results).free
    if size > free:
        raise StudyError(f"{archive} unpacks to {size} bytes, but {results} has {free} free: make room for it")


def check(folder: Path, code_for: Callable[[Mapping], Mapping[str, str]]) -> dict:
    """The configuration of an unpacked study, which must be whole, as its jobs wrote it, and of this code.

    `code_for`: of a configuration, the fingerprints of this tree's rules that must be those that the study was made by.
    """
    provenance = folder / "provenance.json"
    for file in (provenance, folder / "run.json", folder / "dataset/clips.csv", folder / "dataset/manifest.json"):
        if not file.is_file():
            raise StudyError(f"{file} is missing: hand on a study that is finished")
    links = sorted(path for path in folder.rglob("*") if path.is_symlink())
    if links:
        raise StudyError(f"{links[0]} is a link: a study that is handed on has none, so do not use it")
    recorded = verify_folder(folder)
    unknown = sorted(path for path in folder.rglob("*") if path.is_file() and path not in recorded and not _free(path))
    if unknown:
        raise StudyError(f"{unknown[0]} has no checksum, so nobody knows whether it is whole: delete it")
    try:
        made = read_json(provenance)
        configuration, stages = made["configuration"], dict(made["code"])
        names = [configuration["study"], configuration["dataset"]]
        commit = (read_json(folder / "run.json")["git"] or {}).get("commit")
        where = f": check out commit {commit}" if commit else ": get the code that came with it"
        here = code_for(configuration)
    except StudyError as error:
        raise StudyError(f"{folder} has what this tree has not ({error}){where}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StudyError(f"{provenance} and run.json are no record of a study: do not use {folder}") from error
    if names[0] != folder.name or not all(isinstance(name, str) and _STUDY.fullmatch(name) for name in names):
        raise StudyError(f"{folder} holds the study {names[0]!r} of the data set {names[1]!r}: do not use it")
    other = sorted(rule for rule, digest in here.items() if stages.get(rule, digest) != digest)
    if other:
        raise StudyError(f"{folder} was made by other code of {', '.join(other)} than this tree's{where}")
    return configuration


def _free(path: Path) -> bool:
    """Whether a file needs no checksum: nothing that is adopted is computed from it."""
    beside = path.suffix in (SUFFIX, ".log") or path.name in (*VARYING, "configuration.json")
    return beside or path.parent.name == "state"


def place(folder: Path, data: Path) -> None:
    """Put what an adopted study knows of its clips where its jobs look for it.

    Data that are there already stay; they must be those that the study was made from.
    """
    for name in ("manifest.json", "clips.csv"):
        if (data / name).exists() and sha256(data / name) != sha256(folder / "dataset" / name):
            raise StudyError(f"{data / name} is of other data than {folder} was made from: move {data} away")
    data.mkdir(parents=True, exist_ok=True)
    for source in (folder / "dataset").iterdir():
        if source.suffix != SUFFIX and not (data / source.name).exists():
            with whole(data / source.name) as path:
                shutil.copyfile(source, path)


def same_time(folders: Iterable[Path]) -> None:
    """Give all files of some folders one time stamp: none is older than what it was made from."""
    now = time.time()
    for folder in folders:
        for path in folder.rglob("*"):
            os.utime(path, (now, now), follow_symlinks=False)
