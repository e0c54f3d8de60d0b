"""What both profiles must say, since Snakemake reads only one of them as the workflow's."""

import re
from pathlib import Path

import pytest
import yaml
from rules_for_tests import rules_of

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
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


@pytest.fixture(scope="module")
def own_archives(tmp_path_factory):
    """A configuration whose archives lie in a folder of the user's."""
    folder = tmp_path_factory.mktemp("archives")
    overlay = {"datasets": {"tau2020": {"record": {"archives": str(folder)}}}}
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    return folder / "overlay.yaml"


@pytest.mark.parametrize("configuration", ["tests/workflow/tiny.yaml", "config/folder.yaml", "config.yaml", "archives"])
def test_a_rule_that_asks_for_no_memory_is_light_and_never_submitted(configuration, own_archives):
    """`use rule` hands on everything but `localrule`, so that a light rule would turn into jobs by the thousand."""
    rules = rules_of(own_archives if configuration == "archives" else ROOT / configuration)
    submitted = {name for name, rule in rules.items() if rule["submitted"]}
    assert submitted == {name for name, rule in rules.items() if "mem_mb" in rule["asks"]}
    assert {"train_network", "prune_network", "export_model"} < submitted < rules.keys()
    assert ("link_archive" in rules) == (configuration == "archives")
