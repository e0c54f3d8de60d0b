"""Files appear whole or not at all."""

import hashlib
import os
from pathlib import Path

import pandas
import pytest

from channel_sparsity.files import (
    StudyError,
    read_csv,
    read_json,
    sha256,
    whole,
    whole_and_large,
    write_bytes,
    write_csv,
    write_json,
)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "deep" / "table.csv"
    write_csv(path, pandas.DataFrame({"a": [0.1]}))
    with pytest.raises(RuntimeError, match="half way"), whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
    assert path.read_text() == "a\n0.1\n"
    assert os.listdir(path.parent) == ["table.csv"]


def test_two_writers_never_share_a_temporary_file(tmp_path):
    path = tmp_path / "a.json"
    with whole(path) as one, whole(path) as other:
        assert one != other and one.suffix == other.suffix == ".json"
        one.write_text("1")
        other.write_text("2")
    assert path.read_text() == "1"  # the outer block ends last


def test_new_files_have_ordinary_permissions(tmp_path):
    write_json(tmp_path / "a.json", {})
    (tmp_path / "b").touch()
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_has_no_nan_and_reads_back(tmp_path):
    write_json(tmp_path / "a.json", {"x": [1, 0.1, None, "é"]})
    assert read_json(tmp_path / "a.json") == {"x": [1, 0.1, None, "é"]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert read_json(tmp_path / "a.json")["x"][1] == 0.1


def test_an_unreadable_json_file_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"x": ')
    with pytest.raises(StudyError, match=r"a\.json cannot be read .*delete it"):
        read_json(tmp_path / "a.json")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"scene")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"scene").hexdigest()


def test_bytes_that_cannot_be_written_are_said(tmp_path):
    write_bytes(tmp_path / "deep/a", b"scene")
    assert (tmp_path / "deep/a").read_bytes() == b"scene"
    with pytest.raises(StudyError, match=r"a/b cannot be written \(.*\): make room"):
        write_bytes(tmp_path / "deep/a/b", b"scene")


def test_leftovers_of_killed_processes_go_and_those_of_live_ones_stay(tmp_path):
    for name in ("a.h5", ".a.12345678.h5", ".a.b.12345678.h5", ".a.12345678.csv", ".ab.12345678.h5"):
        (tmp_path / name).touch()
    with whole_and_large(tmp_path / "a.h5") as first, whole_and_large(tmp_path / "a.h5") as second:
        others = {".a.12345678.csv", ".a.b.12345678.h5", ".ab.12345678.h5", "a.h5"}
        assert set(os.listdir(tmp_path)) == {first.name, second.name} | others
    assert set(os.listdir(tmp_path)) == others


def test_names_that_pandas_takes_for_missing_stay_names(tmp_path):
    names = ["NA", "n/a", "nan", "null", "None", "", "007"]
    frame = pandas.DataFrame({"filename": names, "ws": [0.5, None, 1 / 3, 1, 2, 3, 4]})
    write_csv(tmp_path / "t.csv", frame)
    read = read_csv(tmp_path / "t.csv", {"ws": float, "filename": str})
    assert list(read["filename"]) == names and read["ws"].equals(frame["ws"])
    assert list(read_csv(tmp_path / "t.csv")["filename"][:5]) == names[:5]
    with pytest.raises(StudyError, match=r"t\.csv is no table of clips \(.*\): delete it and run again"):
        read_csv(tmp_path / "t.csv", {"scene": str}, "table of clips")


def test_every_table_is_read_so():
    scripts = Path(__file__).parents[2] / "workflow"
    readers = {path.name for path in scripts.rglob("*.py") if "pandas.read_csv(" in path.read_text()}
    assert readers == {"files.py", "esc50.py"}, "esc50.py reads a table that nobody should delete"
