"""What a run will still take, from the jobs that have ended."""

import os

import pytest

from channel_sparsity.bookkeeping.remaining import seconds_left


def test_the_pace_of_what_has_ended_goes_on(tmp_path):
    files = {tmp_path / name: weight for name, weight in (("a", 10.0), ("b", 10.0), ("c", 20.0))}
    assert seconds_left(files, since=1000, now=1060) is None, "nothing has ended yet"
    (tmp_path / "a").touch()
    os.utime(tmp_path / "a", (1050, 1050))
    assert seconds_left(files, since=1000, now=1060) == pytest.approx(180), "60 s for 10 of 40"
    (tmp_path / "c").touch()
    os.utime(tmp_path / "c", (900, 900))
    assert seconds_left(files, since=1000, now=1060) == pytest.approx(180), "an older file is still to be made anew"
    assert seconds_left({}, since=1000, now=1060) is None
    assert seconds_left(files | {tmp_path / "d": 1000.0}, since=1000, now=1060) is None, "a hundredth tells nothing"


def test_nothing_is_left_at_the_end(tmp_path):
    (tmp_path / "a").touch()
    assert seconds_left({tmp_path / "a": 5.0}, since=0, now=2e9) == 0
