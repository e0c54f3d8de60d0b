"""A study beside the published digests: the same, or the first stage that differs and why."""

import os
import subprocess

import pytest

from channel_sparsity.bookkeeping.published import Digests, compared, digest_of, is_current
from channel_sparsity.files import StudyError

MADE_WITH = {
    "arithmetic": "portable",
    "architecture": "x86_64",
    "device": "cpu",
    "versions": "python 3.11.7, numpy 2.4.6",
    "settings": "aa",
    "code": "bb",
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write digests of two stages, by name of the file, in a folder of their own."""
    monkeypatch.chdir(tmp_path)

    def written(name, split="s", tables="t", **made_with):
        for file, text in (("split.csv", split), ("cells.csv", tables), ("paper.csv", "p")):
            (tmp_path / file).write_text(text)
        digests = Digests.of(MADE_WITH | made_with, {"split": ["split.csv"], "tables": ["cells.csv", "paper.csv"]})
        path = tmp_path / name
        path.write_text(digests.text())
        return path

    return written


def test_sha256sum_reads_what_is_written(write, tmp_path):
    path = write("demo.txt")
    check = ["sha256sum", "--check", "--strict", "--quiet", path]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, text=True).stdout == ""
    (tmp_path / "cells.csv").write_text("other")
    assert "cells.csv: FAILED" in subprocess.run(check, cwd=tmp_path, capture_output=True, text=True).stdout


def test_the_same_numbers_are_said_to_be_the_same_whatever_they_were_made_with(write):
    assert compared(write("own.txt", versions="python 3.12.1"), write("demo.txt")) == (
        "The same numbers as published, bit for bit (3 files, published/demo.txt)."
    )


def test_the_first_stage_that_differs_and_the_likely_reason(write):
    said = compared(write("own.txt", tables="other"), write("demo.txt"))
    assert "from the stage `tables` on (1 of its 2 files)" in said and "please report it" in said
    said = compared(write("own.txt", split="other", tables="other", arithmetic="native"), write("demo.txt"))
    assert "from the stage `split` on" in said and said.endswith(
        "Likely reason: the arithmetic is native, not portable."
    )
    said = compared(
        write("own.txt", split="x", versions="python 3.13.1, numpy 2.4.6", settings="cc"), write("demo.txt")
    )
    assert said.endswith("Likely reason: the versions are python 3.13.1, not python 3.11.7; the settings are others.")


def test_a_stage_that_one_of_them_lacks_is_a_difference(write, tmp_path):
    own = write("own.txt")
    own.write_text(own.read_text().split("# stage: tables")[0])
    said = compared(own, write("demo.txt"))
    assert "the stage `tables` on (2 of its 2 files, 2 of them only here or only there)" in said


def test_digests_are_current_until_a_file_is_another(write, tmp_path):
    own = write("own.txt")
    assert is_current(own) and not is_current(tmp_path / "none.txt")
    os.utime(tmp_path / "cells.csv", (2e9, 2e9))
    assert is_current(own), "made again to the same bytes"
    (tmp_path / "cells.csv").write_text("other")
    os.utime(tmp_path / "cells.csv", (1, 1))
    assert not is_current(own)
    (tmp_path / "cells.csv").unlink()
    assert not is_current(own)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "own.txt").write_text("nonsense")
    with pytest.raises(StudyError, match=r"own.txt cannot be read as digests"):
        Digests.read(tmp_path / "own.txt")


def test_settings_are_the_same_in_any_order():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1}) != digest_of({"a": 1, "b": [2, 1]})
