"""What a script of a rule says at its end."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors import SafetensorError

from job import job

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.fixture
def rule(tmp_path):
    """What Snakemake hands to the script of a rule."""
    return SimpleNamespace(
        rule="train_network", log=[str(tmp_path / "train.log")], input=[], output=[], scriptdir=str(SCRIPTS)
    )


@pytest.mark.parametrize("kind", [OSError, SafetensorError])
def test_a_full_disk_is_one_sentence_whoever_meets_it(rule, capsys, kind):
    with pytest.raises(SystemExit), job(rule):
        raise kind("I/O error: No space left on device (os error 28)")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: train_network could not write its files") and line.endswith(
        "make room and run again"
    )


def test_what_nobody_foresaw_names_its_log(rule, capsys):
    with pytest.raises(SystemExit), job(rule):
        raise KeyError("x")
    assert "train_network failed with KeyError: 'x' (traceback in " in capsys.readouterr().err


def test_the_library_of_another_clone_is_refused(rule, tmp_path, capsys):
    rule.scriptdir = str(tmp_path)
    with pytest.raises(SystemExit), job(rule):
        raise AssertionError("the work must not begin")
    assert f"error: the library comes from {SCRIPTS}, not from {tmp_path}" in capsys.readouterr().err
