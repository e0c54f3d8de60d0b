"""Make the environment of the lock, unless it is there: python envs/set_up.py .venv (`make` does). --remove removes it.

With --lock docs.txt it is that of another lock in envs/, here of the pages (`make docs`).

An environment is complete if it was made here, from the lock as it is now and by this version of Python. If it is not,
another one is built beside it and takes its place when it is whole. What was not made here is never touched.
"""

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

LOCK = [Path(__file__).with_name(name) for name in ("torch.txt", "requirements.txt")]
NEEDS = "some minutes, 7 GB of disk, most of it PyTorch"

#: The file that says what an environment was made from; the first thing in one that is made here.
MADE_FROM = ".made-from"


def made_from(lock: list[Path] = LOCK) -> str:
    """The digest of a lock and of the version of Python, without its last number."""
    content = [f"{sys.version_info.major}.{sys.version_info.minor}".encode(), *(path.read_bytes() for path in lock)]
    return hashlib.sha256(b"\n".join(content)).hexdigest()


def refuse(sentence: str) -> None:
    """End with one sentence."""
    sys.exit(f"error: {sentence}")


def is_ours(folder: Path) -> bool:
    """Whether an environment was made here; those of earlier versions have an empty file `.complete`."""
    return any((folder / name).is_file() for name in (MADE_FROM, ".complete"))


def is_complete(folder: Path, lock: list[Path]) -> bool:
    """Whether an environment is what a lock says."""
    record = folder / MADE_FROM
    return record.is_file() and record.read_text(encoding="utf-8") == made_from(lock)


def set_up(folder: Path, lock: list[Path], needs: str) -> None:
    """Make the environment `folder` of a lock, if it is not complete. `needs`: what that takes, in words."""
    if is_complete(folder, lock):
        return
    if folder.is_symlink():
        refuse(
            f"{folder} is a link to {folder.resolve()}, which is not what the lock says: remove the link (rm {folder})"
        )
    if folder.exists() and not is_ours(folder):
        refuse(f"{folder} was not made by `make`: move it away, or leave `make` and use it as it is")
    if sys.version_info < (3, 11):  # noqa: UP036
        refuse(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}: make PYTHON=python3.12")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        refuse(f"{sys.executable} lacks venv: install it first (on Debian and Ubuntu: apt install python3-venv)")
    with open(folder.with_name(f"{folder.name}.lock"), "w", encoding="utf-8") as hold:
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            refuse(f"another `make` is setting up {folder}: wait for it")
        build(folder, lock, needs)


def build(folder: Path, lock: list[Path], needs: str) -> None:
    """Build the environment beside `folder`, and put it there when it is whole."""
    new, old = (folder.with_name(f"{folder.name}.{word}") for word in ("new", "old"))
    for leftover in (new, old):  # of a `make` that was killed
        if leftover.exists() and not is_ours(leftover):
            refuse(f"{leftover} was not made by `make`: move it away")
        shutil.rmtree(leftover, ignore_errors=True)
    print(f"Setting up {folder} (once; {needs})", flush=True)
    started = time.monotonic()
    new.mkdir()
    (new / MADE_FROM).write_text("unfinished", encoding="utf-8")
    requirements = [word for path in lock for word in ("--requirement", path)]
    for command in (
        [sys.executable, "-m", "venv", new],
        [new / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", *requirements],
    ):
        if subprocess.run(command).returncode:
            refuse(f"{folder} could not be set up, and is as it was: put right what stands above, and run again")
    # Its programs name the folder that it was built in.
    for program in (new / "bin").iterdir():
        if program.is_file() and not program.is_symlink() and str(new).encode() in (content := program.read_bytes()):
            program.write_bytes(content.replace(str(new).encode(), str(folder).encode()))
    (new / MADE_FROM).write_text(made_from(lock), encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    print(f"{folder} is ready after {(time.monotonic() - started) / 60:.1f} minutes", flush=True)


def remove(folder: Path) -> None:
    """Remove the environment `folder`, if it was made here; of a link, the link alone."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists() and not is_ours(folder):
        refuse(f"{folder} was not made by `make`: remove it yourself, if you no longer need it")
    else:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=lambda name: Path(name).absolute())
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--lock", type=Path(__file__).with_name)
    arguments = parser.parse_args()
    if arguments.remove:
        remove(arguments.folder)
    elif arguments.lock:
        set_up(arguments.folder, [arguments.lock], "170 MB of disk")
    else:
        set_up(arguments.folder, LOCK, NEEDS)
