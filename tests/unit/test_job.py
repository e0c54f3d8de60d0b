"""What a script of a rule says at its end."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors import SafetensorError

from job import _Log, job

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.fixture
def rule(tmp_path):
    """What Snakemake hands to the script of a rule."""
    return SimpleNamespace(
        rule="train_network", log=[str(tmp_path / "train.log")], input=[], output=[], scriptdir=str(SCRIPTS)
    )


@pytest.fixture
def said(caplog):
    """The last sentence of the log."""
    return lambda: caplog.messages[-1]


@pytest.mark.parametrize("kind", [OSError, SafetensorError])
def test_a_full_disk_is_one_sentence_whoever_meets_it(rule, said, kind):
    with pytest.raises(SystemExit), job(rule):
        raise kind("I/O error: No space left on device (os error 28)")
    assert said().startswith("error: train_network could not write its files")
    assert said().endswith("make room and run again")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("could not create a primitive"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried to ..."
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_memory_that_ran_out_is_said_whoever_meets_it(rule, said, error):
    with pytest.raises(SystemExit), job(rule):
        raise error
    advice = "let fewer jobs share the GPU" if "CUDA" in str(error) else "free some"
    assert said().startswith(f"error: train_network ran out of memory ({type(error).__name__}: {error}): {advice}")


def test_the_terminal_says_what_the_log_has_no_room_for(capsys):
    record = logging.LogRecord("root", logging.ERROR, "", 0, "%s", ("error: no room",), None)
    _Log("/dev/full", mode="w").emit(record)
    assert capsys.readouterr().err == "error: no room\n"


def test_what_nobody_foresaw_names_its_log(rule, said):
    with pytest.raises(SystemExit), job(rule):
        raise KeyError("x")
    assert "train_network failed with KeyError: 'x' (traceback in " in said()


def test_the_library_of_another_clone_is_refused(rule, tmp_path, said):
    rule.scriptdir = str(tmp_path)
    with pytest.raises(SystemExit), job(rule):
        raise AssertionError("the work must not begin")
    assert f"error: the library comes from {SCRIPTS}, not from {tmp_path}" in said()
