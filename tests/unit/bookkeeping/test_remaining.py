"""What a run will still take, from the jobs that have ended."""

import os

import pytest

from channel_sparsity.bookkeeping import remaining
from channel_sparsity.bookkeeping.remaining import seconds_left


def test_the_pace_of_what_has_ended_goes_on(tmp_path):
    files = {tmp_path / name: weight for name, weight in (("a", 10.0), ("b", 10.0), ("c", 20.0))}
    assert seconds_left(files, since=1000, now=1060) is None, "nothing has ended yet"
    (tmp_path / "a").touch()
    os.utime(tmp_path / "a", (1050, 1050))
    assert seconds_left(files, since=1000, now=1050) == pytest.approx(150), "50 s for 10 of 40"
    (tmp_path / "c").touch()
    os.utime(tmp_path / "c", (900, 900))
    assert seconds_left(files, since=1000, now=1050) == pytest.approx(150), "an older file is still to be made anew"
    assert seconds_left({}, since=1000, now=1060) is None
    assert seconds_left(files | {tmp_path / "d": 1000.0}, since=1000, now=1060) is None, "a hundredth tells nothing"


def test_it_runs_down_between_two_ends_and_does_not_jump(tmp_path):
    """Four jobs of a hundred seconds on two cores."""
    files = dict.fromkeys((tmp_path / name for name in "abcd"), 1.0)
    for name in "ab":
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1100, 1100))
    assert [seconds_left(files, since=1000, now=now) for now in (1100, 1150, 1199)] == [100, 50, 1]
    assert seconds_left(files, since=1000, now=1250) is None, "later than it said, and nobody knows how much"


def test_nothing_is_said_at_the_end(tmp_path):
    (tmp_path / "a").touch()
    assert seconds_left({tmp_path / "a": 5.0}, since=0, now=2e9) is None


def test_the_time_in_which_data_were_made_does_not_count(tmp_path, monkeypatch, capsys):
    """Nor is anything said before they are there."""
    manifest, trained, left = tmp_path / "manifest.json", tmp_path / "a", tmp_path / "b"

    def sleep(_):
        if trained.exists():
            raise SystemExit
        if manifest.exists():
            trained.touch()
            os.utime(trained, (1010, 1010))
        else:
            manifest.touch()
            os.utime(manifest, (1000, 1000))

    monkeypatch.setattr(remaining.time, "sleep", sleep)
    monkeypatch.setattr(remaining.time, "time", lambda: 1010 if trained.exists() else 0)
    with pytest.raises(SystemExit):
        remaining.Remaining(lambda: {trained: 1.0, left: 3.0}, manifest).run()
    assert capsys.readouterr().err == "About 30.0 s left.\n"
