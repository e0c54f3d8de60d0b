"""What both profiles must say, since Snakemake reads only one of them as the workflow's."""

import re
from pathlib import Path

import pytest
import yaml

PROFILES = Path(__file__).parents[2] / "profiles"
DEFAULT, SLURM = (yaml.safe_load((PROFILES / name / "config.yaml").read_text()) for name in ("default", "slurm"))
# What runs again and when, and how much is said: of the workflow, not of the place.
SHARED = ("rerun-triggers", "rerun-incomplete", "keep-going", "quiet", "scheduler", "max-checksum-file-size")


@pytest.mark.parametrize("key", SHARED)
def test_both_profiles_say_the_same_of_the_workflow(key):
    assert DEFAULT[key] == SLURM[key]


def test_what_only_one_profile_says_is_of_the_place():
    assert DEFAULT.keys() <= SLURM.keys()
    assert SLURM.keys() - DEFAULT.keys() == {
        *("default-resources", "set-resources"),
        *("executor", "jobs", "local-cores", "retries", "latency-wait"),
        *("slurm-jobname-prefix", "slurm-status-command", "slurm-init-seconds-before-status-checks", "slurm-requeue"),
    }


def test_a_workstation_has_one_gpu_job_at_a_time():
    assert DEFAULT["resources"] == ["gpu=1"]


def test_what_a_user_edits_on_a_cluster_comes_first_and_works_unedited():
    first, *_, edited = (PROFILES / "slurm/config.yaml").read_text().split("# ----")[:2]
    assert all(line.startswith("#") for line in first.splitlines() if line)
    optional = ("slurm_account:", "slurm_partition:", "train_network:", "longest_minutes:", "directory:")
    assert all(re.search(f"^# *{key}", edited, flags=re.MULTILINE) for key in optional)
