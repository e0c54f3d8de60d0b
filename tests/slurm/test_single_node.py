"""The tests' SLURM keeps off a machine that has one, and leaves nothing behind."""

import os

import pytest
import single_node
from single_node import MARK, Refused, SingleNode


@pytest.fixture
def etc(tmp_path, monkeypatch):
    """Another folder in place of /etc/slurm, and a machine on which nothing of SLURM runs."""
    monkeypatch.setattr(single_node, "ETC", tmp_path / "etc")
    monkeypatch.setattr(single_node, "BASE", tmp_path / "base")
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(single_node, "PROGRAMS", ())
    monkeypatch.setattr(single_node, "program_of", lambda pid: "bash")
    return tmp_path / "etc"


def test_a_configuration_of_somebody_else_is_left_alone(etc):
    (etc / "slurm.conf").write_text("ClusterName=theirs\n")
    with pytest.raises(Refused, match=r"slurm\.conf is not from these tests"):
        SingleNode().start()
    assert [path.name for path in etc.iterdir()] == ["slurm.conf"]
    assert (etc / "slurm.conf").read_text() == "ClusterName=theirs\n"


@pytest.mark.parametrize("daemon", ["slurmctld", "slurmd"])
def test_a_running_daemon_is_left_alone(etc, monkeypatch, daemon):
    monkeypatch.setattr(single_node, "program_of", lambda pid: daemon if pid == os.getpid() else "bash")
    with pytest.raises(Refused, match=f"{daemon} runs on this machine already"):
        SingleNode().start()
    assert list(etc.iterdir()) == []


def test_what_is_missing_is_named_with_its_packages(etc, monkeypatch):
    monkeypatch.setattr(single_node, "PROGRAMS", ("no-such-slurmd",))
    with pytest.raises(Refused, match="no-such-slurmd not found: as root, apt-get install slurmctld"):
        SingleNode().start()


def test_what_killed_tests_left_goes_first(etc, monkeypatch):
    (etc / "slurm.conf").write_text(f"{MARK}\n")
    ended = []
    monkeypatch.setattr(single_node, "end", ended.append)
    monkeypatch.setattr(SingleNode, "is_up", lambda self: False)
    monkeypatch.setattr(single_node, "start_munge", lambda: 1 / 0)
    with pytest.raises(AssertionError, match="division"):
        SingleNode().start()
    assert ended[:3] == ["slurmctld", "slurmd", "munged"]
    assert list(etc.iterdir()) == []
