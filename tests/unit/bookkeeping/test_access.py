"""Permissions that are missing, and a lock that another run holds: one sentence each."""

import os
import subprocess
import sys

import pytest

from channel_sparsity.bookkeeping import access
from channel_sparsity.files import StudyError


@pytest.fixture
def denied(monkeypatch):
    """A set of paths that nobody may read or write; root may everything."""
    paths = set()
    monkeypatch.setattr(access.os, "access", lambda path, mode: path not in paths)
    return paths


def test_a_file_that_cannot_be_read_is_named(tmp_path, denied):
    store = tmp_path / "logmel.h5"
    access.refuse_unreadable([store])
    store.touch()
    access.refuse_unreadable([store])
    denied.add(store)
    with pytest.raises(StudyError, match=r"logmel.h5 cannot be read: give yourself permission \(chmod u\+r\)"):
        access.refuse_unreadable([tmp_path / "clips.csv", store])


def test_a_folder_that_cannot_be_written_to_is_named_by_what_there_is_of_it(tmp_path, denied):
    folder = tmp_path / "results/tiny/tables"
    (tmp_path / "results").mkdir()
    access.refuse_unwritable([folder])
    denied.add(tmp_path / "results")
    with pytest.raises(StudyError, match=rf"{tmp_path}/results is read-only for you, but the run would write to it"):
        access.refuse_unwritable([tmp_path, folder])


def test_a_lock_is_of_a_run_that_is_there_or_of_one_that_was_killed(tmp_path):
    assert "is locked by a run that was killed" in access.locked(tmp_path) and "--unlock" in access.locked(tmp_path)
    program = tmp_path / "snakemake"
    program.write_text("print('ready', flush=True)\nimport time\ntime.sleep(60)\n")
    run = subprocess.Popen([sys.executable, program, "-n"], cwd=tmp_path, stdout=subprocess.PIPE)
    job = subprocess.Popen([sys.executable, "-c", "'snakemake.cli'; input()"], cwd=tmp_path, stdin=subprocess.PIPE)
    left = subprocess.Popen(
        [sys.executable, program, "--target-jobs", "prune_network:"], cwd=tmp_path, stdout=subprocess.PIPE
    )
    try:
        assert run.stdout.readline() == left.stdout.readline() == b"ready\n"
        said = access.locked(tmp_path)
        assert said.startswith(f"{tmp_path} is locked by another run, which is at work (process {run.pid}): let it end")
        assert "is locked by a run that was killed" in access.locked(tmp_path.parent)
        assert str(os.getpid()) not in said
    finally:
        for process in (run, job, left):
            process.kill()
            process.wait()
