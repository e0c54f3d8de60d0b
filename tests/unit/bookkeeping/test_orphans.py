"""Jobs in SLURM that a killed main process left behind, asked of a stand-in for squeue."""

import os
from pathlib import Path

import pytest

from channel_sparsity.bookkeeping.orphans import refuse_orphans
from channel_sparsity.files import StudyError

FOLDER = Path("/scratch/me")


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """A squeue that says what it is told to, and ends with this code."""

    def says(text, code=0):
        program = tmp_path / "squeue"
        (tmp_path / "said").write_text(text)
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/said\necho no contact >&2\nexit {code}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return says


def test_no_jobs_are_nobodys_orphans(squeue):
    squeue("")
    refuse_orphans("study", FOLDER)


def test_jobs_of_others_are_left_alone(squeue):
    squeue(
        "1|RUNNING|other_5f|/scratch/me|rule_a\n"
        "2|RUNNING|study_5f|/scratch/else|rule_b\n"
        "3|RUNNING|studying|/scratch/me|rule_c"
    )
    refuse_orphans("study", FOLDER)


def test_every_orphan_is_named_with_what_cancels_it(squeue):
    squeue(
        "7|RUNNING|study_5f|/scratch/me|rule_train_network_wildcards_vgg11_0_1\n"
        "8|RUNNING|other|/scratch/me|\n"
        "12|PENDING|study_60|/scratch/me|a|b"
    )
    with pytest.raises(StudyError) as error:
        refuse_orphans("study", FOLDER)
    assert "7 (running: rule_train_network_wildcards_vgg11_0_1), 12 (pending: a|b)" in str(error.value)
    assert "scancel 7 12" in str(error.value)


def test_a_slurm_that_does_not_answer_is_no_leave_to_submit(squeue):
    squeue("", code=1)
    with pytest.raises(StudyError, match="no contact"):
        refuse_orphans("study", FOLDER)


def test_without_squeue_there_is_no_leave_either(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudyError, match="squeue"):
        refuse_orphans("study", FOLDER)
