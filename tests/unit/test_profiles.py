"""What both profiles must say, since Snakemake reads only one of them as the workflow's."""

from pathlib import Path

import pytest
import yaml

PROFILES = Path(__file__).parents[2] / "profiles"
DEFAULT, SLURM = (yaml.safe_load((PROFILES / name / "config.yaml").read_text()) for name in ("default", "slurm"))
# What runs again and when, and how much is said: of the workflow, not of the place.
SHARED = ("rerun-triggers", "rerun-incomplete", "keep-going", "quiet", "max-checksum-file-size")


@pytest.mark.parametrize("key", SHARED)
def test_both_profiles_say_the_same_of_the_workflow(key):
    assert DEFAULT[key] == SLURM[key]


def test_what_only_one_profile_says_is_of_the_place():
    assert DEFAULT.keys() - SLURM.keys() == {"resources"}
    assert SLURM.keys() - DEFAULT.keys() == {
        *("executor", "jobs", "local-cores", "retries", "latency-wait"),
        *("slurm-jobname-prefix", "slurm-status-command", "slurm-init-seconds-before-status-checks", "slurm-requeue"),
    }


def test_a_workstation_has_one_gpu_job_at_a_time():
    assert DEFAULT["resources"] == ["gpu=1"]


def test_what_a_user_edits_on_a_cluster_comes_first_and_works_unedited():
    lines = (PROFILES / "slurm/config.yaml").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    above = "\n".join(lines[:first])
    assert all(key in above for key in ("slurm_account", "slurm_partition", "gpu_partition", "directory"))
