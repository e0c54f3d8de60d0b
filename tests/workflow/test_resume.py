"""Kills, orphans and numbers that go wrong, in the real DAG."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pandas
import pytest
from conftest import PRUNE, TINY, TRAIN

pytestmark = pytest.mark.faults


class Run:
    """A run of one curve, its knee and what they need, that keeps its state at every epoch's end."""

    def __init__(self, study):
        self.study = study
        self.command = [sys.executable, "-m", "snakemake", f"{PRUNE}/knee.json", "--cores", "1"]
        often = study.work.parent / "often.yaml"
        often.write_text("state_seconds: 0\n")
        self.command += ["--directory", str(study.work), "--configfile", str(TINY), str(often)]

    def start(self):
        """Begin it, in a process group of its own."""
        return subprocess.Popen(
            self.command,
            cwd=self.study.code,
            process_group=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self):
        """Run to the end, after a kill perhaps; what it says and its exit status."""
        subprocess.run([*self.command, "--unlock"], cwd=self.study.code, check=True, capture_output=True)
        process = self.start()
        said, _ = process.communicate(timeout=600)
        return said, process.returncode

    def job_in(self, cell):
        """The process that works in a folder, once it has written its state anew."""
        state = self.study.work / cell / "state"
        before = self.written(state)
        end = time.monotonic() + 300
        while self.written(state) in (None, before):
            assert time.monotonic() < end, f"no state came to {cell}"
            time.sleep(0.02)
        return json.loads((state / "lock").read_text())["pid"]

    def written(self, state):
        """What changes whenever the state is written."""
        path = state / "state.safetensors"
        return path.stat().st_ino if path.exists() else None


def is_alive(pid):
    return os.path.exists(f"/proc/{pid}")


def test_killed_jobs_go_on_to_the_same_bytes_and_orphans_are_named(finished, study):
    study.edit(
        "workflow/scripts/channel_sparsity/training/fit.py",
        "        history.append(row)\n",
        "        history.append(row)\n        __import__('time').sleep(0.3)\n"
        "        while __import__('os').path.exists('wait'):\n            __import__('time').sleep(0.1)\n",
    )
    run = Run(study)

    # A job is killed: the run says so, and leaves the state.
    process = run.start()
    os.kill(run.job_in(TRAIN), signal.SIGKILL)
    process.communicate(timeout=600)
    assert process.returncode == 1 and (study.work / TRAIN / "state/state.safetensors").exists()

    # Its Snakemake is killed: the orphan is named as long as it lives, and ends by itself.
    process = run.start()
    orphan = run.job_in(TRAIN)
    (study.work / "wait").touch()
    assert "goes on from" in (study.work / TRAIN / "train.log").read_text()
    process.kill()
    process.wait()
    said, status = run.end()
    assert status == 1 and f"At work already: {TRAIN}/state by process {orphan} on {socket.gethostname()} since" in said
    assert f"error: {TRAIN} is being worked on by process {orphan} on {socket.gethostname()} since" in said
    (study.work / "wait").unlink()
    end = time.monotonic() + 120
    while is_alive(orphan):
        assert time.monotonic() < end
        time.sleep(0.05)

    # Everything is killed while the curve is traced.
    subprocess.run([*run.command, "--unlock"], cwd=study.code, check=True, capture_output=True)
    process = run.start()
    run.job_in(PRUNE)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    said, status = run.end()
    assert status == 0, said
    assert "goes on from" in (study.work / PRUNE / "prune.log").read_text()
    ours, theirs = study.files(TRAIN, PRUNE), finished.files(TRAIN, PRUNE)
    assert ours.keys() == theirs.keys(), "no state is left"
    assert [str(path) for path in ours if path.name != "timing.csv" and ours[path] != theirs[path]] == []
    assert pandas.read_csv(study.work / TRAIN / "timing.csv")["resumed"].tolist() == [2]


def test_numbers_that_go_wrong_are_recorded_and_hold_back_nothing(study):
    penalty = "workflow/scripts/channel_sparsity/training/penalty.py"
    study.edit(penalty, "alpha=self.lam)", "alpha=self.lam if self.lam < 0.5 else float('nan'))")
    changes = {
        "networks": ["vgg11"],
        "lambdas": {"default": ["0", "9e-1"]},
        "curves": [{"recipe": "slimming"}, {"recipe": "wild"}],
        "recipes": {"wild": {"method": "slimming", "finetuning": {"learning_rate": 1e30}}},
    }
    said = study.snakemake(changes=changes).stdout
    wrong = "results/tiny/train/vgg11/lambda-9e-1/seed-1"
    metrics = json.loads((study.work / wrong / "metrics.json").read_text())
    assert metrics["status"] == "diverged" and metrics["accuracy"] is None
    assert metrics["reason"] == "the training loss was nan in epoch 1"
    cells = pandas.read_csv(study.work / "results/tiny/tables/cells.csv", dtype={"lam": str})
    reasons = cells.set_index(["recipe", "lam"])["reason"]
    assert (reasons[:, "9e-1"] == "training diverged: the training loss was nan in epoch 1").all()
    assert reasons["wild", "0"].startswith("no knee: in fine-tuning of step 1, the training loss was ")
    assert not cells["included"][cells["reason"].notna()].any()
    knee = json.loads((study.work / PRUNE.replace("slimming", "wild") / "knee.json").read_text())
    assert knee["status"] == "none" and knee["reason"].startswith("in fine-tuning of step 1")
    assert "of which went wrong:" in said
    assert "vgg11, lambda 9e-1, seed 1: training diverged: the training loss was nan in epoch 1" in said
    assert "vgg11, lambda 0, seed 1, wild: no knee: in fine-tuning of step 1, the training loss was " in said
