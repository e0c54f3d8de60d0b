"""The record of a study says what decided its numbers, and apart from that what its run was like."""

import shutil
import subprocess
from importlib.metadata import version

import pytest

from channel_sparsity.bookkeeping.provenance import commit, decides, run
from channel_sparsity.files import sha256

CONFIGURATION = {
    "study": "mine",
    "dataset": "tau",
    "seeds": [1, 2],
    "split": {"kind": "random", "seed": 7},
    "datasets": {
        "tau": {
            "source": "record",
            "record": {"metadata": {"name": "meta.zip", "md5": "m"}, "audio": [{"name": "audio.1.zip", "md5": "a"}]},
        }
    },
}


def decided(tmp_path, pins, configuration=CONFIGURATION):
    lock, split = tmp_path / "requirements.txt", tmp_path / "split.csv"
    lock.write_text(pins)
    split.write_text("filename,subset\n")
    manifest = {"settings": {"source": "record"}, "clips": 3, "features_sha256": "f"}
    return decides(configuration, {"train_network": "abc"}, [lock], manifest, [split]), split


def test_what_decides_the_numbers(tmp_path):
    here = version("numpy")
    pins = f"numpy=={here} \\\n    --hash=sha256:00\n    # via pandas\npandas==0.1 ; python_version > '3'\n"
    pins += "scipy==9 ; python_version < '3'\nx-y==1\n"
    record, split = decided(tmp_path, pins)
    assert record["seeds"] == {"replicates": [1, 2], "split": 7, "scenes": None}
    assert record["data"] == {"archives_md5": {"meta.zip": "m", "audio.1.zip": "a"}, "clips": 3, "features_sha256": "f"}
    assert record["files_sha256"] == {str(split): sha256(split)}
    assert record["code"] == {"train_network": "abc"} and record["configuration"] == CONFIGURATION
    assert record["versions"]["packages"] == {"numpy": here, "pandas": version("pandas")}
    assert record["versions"]["not_as_locked"] == {"pandas": {"locked": "==0.1", "installed": version("pandas")}}


def test_the_official_split_has_no_seed(tmp_path):
    record, _ = decided(tmp_path, "", {**CONFIGURATION, "split": {"kind": "official", "seed": 7}})
    assert record["seeds"]["split"] is None


def test_hours_come_from_timings_or_else_from_logs_and_machines_and_devices_from_logs(tmp_path):
    (tmp_path / "a.log").write_text("2026-01-01 10:00:00 on CPU A\n2026-01-01 10:30:00 finished after 1800.0 s\n")
    (tmp_path / "c.log").write_text("2026-01-01 10:00:00 on CPU A\n2026-01-01 10:00:01 computes on NVIDIA H200\n")
    (tmp_path / "b.log").write_text("2026-01-01 10:00:00 on CPU B\n2026-01-01 10:30:00 finished after 900.0 s\n")
    (tmp_path / "timing.csv").write_text("step,seconds\n0,3600\n1,7200\n")
    logs = {"split": [str(tmp_path / name) for name in ("a.log", "b.log", "gone.log")], "train": [tmp_path / "c.log"]}
    record = run(tmp_path, "auto", logs, {"train": [tmp_path / "timing.csv"]})
    assert record["rules"] == {
        "split": {"jobs": 2, "hours": 0.75, "on": {"CPU A": 1, "CPU B": 1}},
        "train": {"jobs": 1, "hours": 3.0, "on": {"CPU A": 1}, "devices": {"NVIDIA H200": 1}},
    }
    assert record["git"] is None


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_and_whether_the_tree_is_clean(tmp_path):
    def git(*arguments):
        return subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    assert commit(tmp_path) is None, "no commit yet"
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "--quiet", "--message", "x")
    assert commit(tmp_path) == {"commit": git("rev-parse", "HEAD").strip(), "clean": True}
    (tmp_path / "new").touch()
    assert commit(tmp_path)["clean"] is False
