"""Portable arithmetic holds every library that chooses its kernels by the processor, whatever the shell says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from channel_sparsity import arithmetic
from channel_sparsity.files import StudyError

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"

#: What the libraries of a fresh process say that they compute with.
ASK = """
import sys
from channel_sparsity.arithmetic import hold
hold(sys.argv[1])
import numpy, scipy.linalg, threadpoolctl, torch
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
torch.ones(99).exp()
numpys = ",".join(name for name in __cpu_dispatch__ if __cpu_features__[name]) or "none"
print(numpys, torch.backends.cpu.get_cpu_capability(),
      *sorted({pool["architecture"] for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"}))
"""

#: As far from portable arithmetic as a shell can ask for.
OTHER_SHELL = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "AVX",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
}


def can_hold():
    """Whether this processor can do portable arithmetic."""
    try:
        arithmetic.hold("portable")
    except StudyError:
        return False
    return True


portable = pytest.mark.skipif(not can_hold(), reason="this processor can only do native arithmetic")


def ask(kind, **shell):
    """What a fresh process computes with under an arithmetic, started from a shell with these variables."""
    free = {name: value for name, value in os.environ.items() if name not in arithmetic.PORTABLE}
    command = [sys.executable, "-c", ASK, kind]
    return subprocess.run(
        command, env={**free, "PYTHONPATH": str(SCRIPTS), **shell}, capture_output=True, text=True, check=True
    ).stdout.split()


@portable
def test_the_libraries_are_held_whatever_the_shell_says():
    assert ask("portable") == ask("portable", **OTHER_SHELL) == ["X86_V3", "AVX2", "Haswell"]


@portable
def test_native_arithmetic_leaves_the_shell_its_say():
    assert ask("native", **OTHER_SHELL) == ["none", "DEFAULT", "Nehalem"]


@pytest.mark.parametrize(
    ("flags", "missing"), [(["sse4_2", "avx"], "avx2"), (["asimd", "sve"], "avx2"), (["avx2"], "fma")]
)
def test_a_processor_that_cannot_be_held_gets_one_sentence(monkeypatch, flags, missing):
    monkeypatch.setattr(arithmetic, "instruction_sets", lambda: flags)
    before = dict(os.environ)
    with pytest.raises(StudyError, match=rf"^portable arithmetic needs .*missing: {missing}.*`arithmetic: native`"):
        arithmetic.hold("portable")
    arithmetic.hold("native")
    assert dict(os.environ) == before


@portable
def test_a_process_knows_what_it_is_under(monkeypatch):
    arithmetic.hold("portable")
    assert arithmetic.in_force() == "portable"
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert arithmetic.in_force() == "native"


@portable
@pytest.mark.parametrize(("first", "early"), [("", []), ("import numpy; ", ["numpy"])])
def test_a_notebook_is_held_and_knows_if_that_came_too_late(first, early):
    code = f"{first}from channel_sparsity import arithmetic, cell; print(cell.TOO_EARLY, arithmetic.in_force())"
    free = {name: value for name, value in os.environ.items() if name not in arithmetic.PORTABLE}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**free, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"{early} portable\n"


def test_every_rule_whose_code_counts_has_the_arithmetic_among_its_parameters():
    rules = [path.read_text() for path in sorted((SCRIPTS.parent / "rules").rglob("*.smk"))]
    codes = [line.strip() for text in rules for line in text.splitlines() if re.match(r" +code=", line)]
    followed = re.findall(r"^ +code=.*\n +arithmetic=ARITHMETIC,$", "\n".join(rules), flags=re.MULTILINE)
    assert len(followed) == len(codes) > 20
