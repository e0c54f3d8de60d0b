"""A small study in a folder of its own, run as a user runs it, and compared with one that nothing disturbed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("study.yaml")
TARGET = "results/faults/tables/cells.csv"
VARYING = ("timing.csv", "run.json")
LOCKED = "is locked by a"
RUN_ENDS_S = 600


class Study:
    """The faults study below a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def copy_of(cls, other: "Study", folder: Path) -> "Study":
        """A copy with its time stamps and with what Snakemake knows of it."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(other.folder, folder)
        return cls(folder)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake in a process group of its own; what it says goes to a file, which outlives it."""
        command = [sys.executable, "-m", "snakemake", *(arguments or (TARGET,)), "--cores", "2"]
        command += ["--directory", str(self.folder), "--configfile", str(CONFIGURATION)]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        with tempfile.NamedTemporaryFile(prefix="said-", delete=False) as said:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT, process_group=0
            )
        process.said = Path(said.name)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run Snakemake to its end: the code that it ends with, and what it says."""
        return ended(self.start(*arguments))

    def go_on(self, *also: str) -> tuple[int, str]:
        """The same command again, after a kill; a lock that is left is taken away, as Snakemake says."""
        code, said = self.run(*also, TARGET)
        if LOCKED in said:
            self.run("--unlock")
            code, said = self.run(*also, TARGET)
        return code, said

    def files(self) -> dict[str, bytes]:
        """Every file of the data and of the results that two runs must have in common, with its bytes."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for folder in ("data", "results")
            for path in sorted((self.folder / folder).rglob("*"))
            if path.is_file()
            and path.suffix != ".log"
            and path.name not in VARYING
            and not {part[0] for part in path.parts} & {"."}
            and path.parent.name != "state"
        }


def awaited(process: subprocess.Popen, condition: Callable = lambda: False) -> object:
    """Wait until a condition holds, and return what it gave, or until a run ends.

    TimeoutExpired, and the run's end, if neither comes.
    """
    found, deadline = None, time.monotonic() + RUN_ENDS_S
    while process.poll() is None and not (found := condition()):
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise subprocess.TimeoutExpired(process.args, RUN_ENDS_S)
        time.sleep(0.02)
    return found


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Wait until a run ends: its code, and what it said."""
    awaited(process)
    said = process.said.read_text(errors="replace")
    process.said.unlink()
    return process.returncode, said


def differing(ours: Study, theirs: Study) -> list[str]:
    """The names of the files that only one of two studies has, or that differ."""
    one, other = ours.files(), theirs.files()
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def sentences(said: str) -> list[str]:
    """The errors that a run ended with, each once: the jobs' own, or else Snakemake's.

    What the workflow says has no traceback; Snakemake's own errors, such as a disk without room for its notes, may.
    """
    own = re.findall(r"^error: .*$", said, flags=re.MULTILINE)
    if own:
        return list(dict.fromkeys(own))
    found = re.findall(
        r"^(?:Refused|WorkflowError|\w*Exception)\b.*:\n(.+)|^(OSError: .+|Error: .+)$", said, flags=re.MULTILINE
    )
    texts = dict.fromkeys(one.strip() or other for one, other in found)
    return [text for text in texts if "At least one job did not complete" not in text]


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def workers(pid: int) -> list[int]:
    """The descendants that run a rule's script."""
    found = []
    for each in descendants(pid):
        with suppress(OSError):
            if b".snakemake/scripts/" in Path(f"/proc/{each}/cmdline").read_bytes():
                found.append(each)
    return found
