"""What a script of a rule says at its end."""

from types import SimpleNamespace

import pytest
from safetensors import SafetensorError

from job import job


@pytest.fixture
def rule(tmp_path):
    """What Snakemake hands to the script of a rule."""
    return SimpleNamespace(rule="train_network", log=[str(tmp_path / "train.log")], input=[], output=[])


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
