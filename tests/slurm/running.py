"""Main processes of Snakemake in the background, and the small study that the tests run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from single_node import wait_until

ROOT = Path(__file__).parents[2]
# The curve that the tests of faults have made anew.
CURVE = "results/slurm/prune/slimming/vgg11/lambda-0/seed-1"
STUDY = (ROOT / "tests/workflow/tiny.yaml", Path(__file__).with_name("study.yaml"))


class Run:
    """A main process of Snakemake that runs in the background; what it says goes into a file."""

    def __init__(self, command, said):
        self.said = said
        with open(said, "w") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, seconds=900):
        """Wait for its end; its return code and what it said."""
        return self.process.wait(seconds), self.said.read_text()

    def must_succeed(self):
        """Wait for its end; what it said."""
        code, said = self.end()
        assert code == 0, said
        return said

    def says(self, text):
        """Wait until it says this."""
        wait_until(lambda: text in self.said.read_text(), f"{self.said} says {text}")


class Study:
    """The small study in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.runs = []

    def start(self, *arguments, profile="slurm", configfiles=STUDY):
        """Start the command of docs/how-to/cluster.md, with status checks that fit jobs of seconds."""
        command = [sys.executable, "-m", "snakemake", "tables", "figures", *arguments]
        command += ["--workflow-profile", f"profiles/{profile}", "--directory", self.folder, "--cores", "2"]
        if configfiles:
            command += ["--configfile", *configfiles]
        if profile == "slurm":
            command += ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "1"]
        run = Run(list(map(str, command)), self.folder.with_name(f"{self.folder.name}-{len(self.runs)}.log"))
        self.runs.append(run)
        return run

    def results(self):
        """Every file of the study that two runs must agree on, with its bytes."""
        files = [path for path in sorted((self.folder / "results").rglob("*")) if path.is_file()]
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in files
            if path.suffix != ".log" and path.name not in ("timing.csv", "run.json")
        }

    def frozen_script(self):
        """Wait for the curve's script to be at work, and stop it there; its process number."""
        lock = self.folder / CURVE / "state/lock"
        pid = json.loads(wait_until(lambda: lock.exists() and lock.read_text(), f"{lock} is held"))["pid"]
        os.kill(pid, signal.SIGSTOP)
        return pid
