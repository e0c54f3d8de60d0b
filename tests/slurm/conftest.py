"""One SLURM for all tests of this folder, and the study that they run, as it comes out without a cluster."""

import os
import shutil
from pathlib import Path

import pytest
from running import CURVE, Study
from single_node import Refused, SingleNode


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slurm)


@pytest.fixture(scope="session")
def cluster():
    """SLURM. Where it cannot be started its tests are skipped, or fail if somebody counts on them."""
    node = SingleNode()
    try:
        node.start()
    except Refused as refusal:
        (pytest.fail if os.environ.get("SKIPPED_MEANS_FAILED") else pytest.skip)(str(refusal))
    yield node
    node.stop()


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """The finished study of a run without a cluster; tests must not change it."""
    study = Study(tmp_path_factory.mktemp("expected") / "study")
    study.folder.mkdir()
    study.start("deploy", profile="default").must_succeed()
    return study


@pytest.fixture
def fresh(cluster, tmp_path):
    """The study with nothing done yet."""
    (tmp_path / "study").mkdir()
    study = Study(tmp_path / "study")
    yield study
    end_all(study, cluster)


@pytest.fixture
def study(cluster, expected, tmp_path):
    """The finished study, but for one curve, the tables and the figures: one job for SLURM."""
    shutil.copytree(expected.folder, tmp_path / "study")
    for gone in (CURVE, "results/slurm/tables", "results/slurm/figures"):
        shutil.rmtree(tmp_path / "study" / gone)
    study = Study(tmp_path / "study")
    yield study
    end_all(study, cluster)


def end_all(study, cluster):
    """Whatever became of a test: none of its main processes and of its jobs stays."""
    for run in study.runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    cluster.cancel_all()
