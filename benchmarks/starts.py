"""What it saves that jobs are forked from a server instead of started anew, on the tests' tiny study.

    PYTHONPATH=workflow/scripts python benchmarks/starts.py

Five minutes on a quiet machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import ROOT, machine, spread, table, write_section

ROUNDS = 2
TINY = ROOT / "tests/workflow/tiny.yaml"


def seconds(code: Path) -> tuple[float, float]:
    """Wall and CPU seconds of the tiny study, run from end to end on two cores by the workflow in a folder."""
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", work, "--configfile", TINY]
        before, started = cpu_seconds(), time.perf_counter()
        subprocess.run(command, cwd=code, check=True, capture_output=True)
        wall = time.perf_counter() - started
        return wall, cpu_seconds() - before


def cpu_seconds() -> float:
    """CPU seconds of all cores of the machine since it started: the server's jobs are nobody's children."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:]
    user, nice, system = map(int, fields[:3])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        anew = Path(folder) / "anew"
        subprocess.run(["git", "clone", "--quiet", ROOT, anew], check=True)
        script = anew / "workflow/scripts/warm_start.py"
        text = script.read_text(encoding="utf-8")
        script.write_text(text.replace("WORTHWHILE = 4", "WORTHWHILE = 1_000_000"), encoding="utf-8")
        taken = {"forked from the server": [], "started anew": []}
        for _ in range(ROUNDS):
            for name, code in zip(taken, (ROOT, anew), strict=True):
                taken[name].append(seconds(code))
    walls = {name: [wall for wall, _ in some] for name, some in taken.items()}
    ratio = [new / fork for fork, new in zip(*walls.values(), strict=True)]
    rows = [[name, spread(walls[name]), spread([cpu for _, cpu in some])] for name, some in taken.items()]
    write_section(
        "How jobs start",
        f"The tests' tiny study from beginning to end, {ROUNDS} rounds. If each job starts by itself, the study takes "
        f"{spread(ratio)} times as long.",
        table(["jobs", "s of wall time", "s of CPU time, of the whole machine"], rows),
        machine("snakemake", "torch"),
    )


if __name__ == "__main__":
    main()
