"""`make` sets up its environment from the lock, and touches no other."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "envs/set_up.py"


@pytest.fixture
def tree(tmp_path):
    """A tree with the script and a lock of nothing, which pip installs without a network."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/set_up.py").write_text(SCRIPT.read_text())
    for name in ("torch.txt", "requirements.txt"):
        (tmp_path / "envs" / name).write_text("# nothing\n")
    return tmp_path


def set_up(tree, *arguments):
    """Run it as `make` does."""
    command = [sys.executable, "envs/set_up.py", *arguments, ".venv"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


def test_an_environment_is_built_once_and_again_when_the_lock_changes_and_can_be_had(tree, monkeypatch):
    first = set_up(tree)
    assert first.returncode == 0 and "is ready after" in first.stdout, first.stderr
    pip = tree / ".venv/bin/pip"
    said = subprocess.run([pip, "--version"], capture_output=True, text=True, check=True).stdout
    assert str(tree / ".venv/lib") in said, "its programs run from where it lies"
    assert ".venv.new" not in pip.read_text()

    mark = tree / ".venv/mark"
    mark.touch()
    lock = tree / "envs/requirements.txt"
    os.utime(lock)
    assert set_up(tree).stdout == "" and mark.exists(), "a new time stamp is no new lock"

    lock.write_text("no-such-package-at-all==1.0 --hash=sha256:" + 64 * "0" + "\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    failed = set_up(tree)
    assert failed.returncode == 1 and "could not be set up, and is as it was" in failed.stderr
    assert mark.exists() and pip.exists()
    lock.write_text("# nothing either\n")
    assert "is ready" in set_up(tree).stdout and not mark.exists(), "what the failed build left is no hindrance"
    assert sorted(path.name for path in tree.glob(".venv*")) == [".venv", ".venv.lock"]


@pytest.mark.parametrize("arguments", [(), ("--remove",)])
def test_an_environment_of_somebody_else_is_never_touched(tree, arguments):
    (tree / ".venv/bin").mkdir(parents=True)
    (tree / ".venv/bin/python").write_text("theirs")
    refused = set_up(tree, *arguments)
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert "was not made by `make`" in refused.stderr
    assert (tree / ".venv/bin/python").read_text() == "theirs"


def test_nothing_is_changed_through_a_link(tree, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / ".complete").touch()  # made by `make` there, of another lock
    (tree / ".venv").symlink_to(other)
    refused = set_up(tree)
    assert refused.returncode == 1 and "is a link to" in refused.stderr and "rm " in refused.stderr
    assert (other / ".complete").exists() and (tree / ".venv").is_symlink()

    spec = importlib.util.spec_from_file_location("set_up", tree / "envs/set_up.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (other / module.MADE_FROM).write_text(module.made_from())
    assert set_up(tree).returncode == 0, "a link to an environment of the same lock will do"
    assert set_up(tree, "--remove").returncode == 0
    assert (other / ".complete").exists() and not (tree / ".venv").exists()
