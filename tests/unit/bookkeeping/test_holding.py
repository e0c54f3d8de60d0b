"""One process at a time in a folder: who is let in, who is named, and what a dead holder leaves."""

import errno
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from channel_sparsity.bookkeeping import holding
from channel_sparsity.bookkeeping.holding import held, holders
from channel_sparsity.files import StudyError

HOLDER = """
import sys, time
from channel_sparsity.bookkeeping.holding import held
with held(sys.argv[1]):
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "seed-1" / "state"


@pytest.fixture
def holder(folder):
    """Another process that holds the folder."""
    scripts = str(Path(holding.__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": scripts}
    )
    assert process.stdout.readline() == b"holding\n"
    yield process
    process.kill()
    process.wait()


def never(_):
    raise AssertionError("there is nobody to wait for")


def another_host(folder, pid=7):
    """The record of a holder on another host, in a file that this host can lock."""
    folder.mkdir(parents=True)
    record = {"host": "node7", "pid": pid, "since": "2031-05-06 07:08:09"}
    (folder / "lock").write_text(json.dumps(record))
    return folder / "lock"


def test_the_second_one_is_told_who_holds_it(folder, holder):
    words = rf"process {holder.pid} on {socket.gethostname()} since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    sentence = f"seed-1 is being worked on by {words}: wait for it or end it, then run again"
    with pytest.raises(StudyError, match=sentence), held(folder, never):
        pass
    (line,) = holders([folder, folder.with_name("elsewhere")])
    assert line.startswith(f"{folder} by process {holder.pid} on ")


def test_a_killed_holder_holds_nothing(folder, holder):
    holder.kill()
    holder.wait()
    assert (folder / "lock").exists() and holders([folder]) == []
    with held(folder, never) as check:
        check()
        assert json.loads((folder / "lock").read_text())["pid"] == os.getpid()


def test_an_empty_folder_goes_and_what_lies_in_it_stays(folder):
    with held(folder, never):
        pass
    assert not folder.exists() and folder.parent.exists()
    with held(folder, never):
        (folder / "state.safetensors").touch()
    assert [path.name for path in folder.iterdir()] == ["state.safetensors"]


def test_an_error_lets_go(folder):
    with pytest.raises(ZeroDivisionError), held(folder, never):
        1 / 0  # noqa: B018
    with held(folder, never):
        pass


def test_a_silent_record_of_another_host_is_taken_over_after_a_while(folder):
    another_host(folder)
    slept = []
    with held(folder, slept.append) as check:
        check()
    assert sum(slept) == holding.PATIENCE_S


def test_a_record_that_another_host_still_touches_is_respected(folder):
    lock = another_host(folder)
    before = lock.read_bytes()
    refusal = pytest.raises(StudyError, match="process 7 on node7 since 2031-05-06 07:08:09")
    with refusal, held(folder, lambda _: os.utime(lock, (1, 1))):
        pass
    assert lock.read_bytes() == before


def test_without_locks_of_the_system_the_record_decides(folder, holder, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with (
        pytest.raises(StudyError, match=f"process {holder.pid} on "),
        held(folder, lambda _: os.utime(folder / "lock")),
    ):
        pass
    with held(folder, lambda _: None) as check:
        check()


def test_who_was_taken_for_dead_must_not_write(folder):
    with held(folder, never) as check:
        record = json.loads((folder / "lock").read_text())
        (folder / "lock").write_text(json.dumps(record | {"host": "node8", "pid": 9}))
        with pytest.raises(StudyError, match="process 9 on node8"):
            check()
    assert (folder / "lock").exists(), "it is the other's"


def test_a_holder_touches_its_record(folder, monkeypatch):
    touched = threading.Event()
    monkeypatch.setattr(holding, "BEAT_S", 0.001)
    monkeypatch.setattr(holding.os, "utime", lambda path: touched.set())
    with held(folder, never):
        assert touched.wait(10)


def test_a_lock_that_is_just_being_removed_is_not_taken(folder, monkeypatch):
    """Its last holder removes it between the opening and the locking: whoever comes next would lock another file."""
    flock, calls = fcntl.flock, []

    def late(file, how):
        if not calls:
            (folder / "lock").unlink()
        calls.append(how)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with held(folder, never) as check:
        check()
        assert len(calls) == 2 and holders([folder])


def test_of_many_that_come_at_once_one_at_a_time_is_let_in(folder):
    """Each tries until it was in once; nobody meets anybody there, though the folder comes and goes."""
    inside, met = [], []

    def visit():
        while True:
            try:
                with held(folder, never):
                    inside.append(1)
                    met.append(len(inside))
                    inside.pop()
                return
            except StudyError:
                continue

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert met == [1] * 8 and not folder.exists()


def test_a_folder_that_was_deleted_meanwhile_takes_nothing_from_its_holder(folder):
    """Nobody has taken over: what was computed in days is not thrown away at the end."""
    with held(folder, never) as check:
        shutil.rmtree(folder)
        check()
        folder.mkdir()
        (folder / "state.safetensors").touch()
        check()
        (folder / "lock").write_text(json.dumps({"host": "node7", "pid": 7, "since": "2031-05-06 07:08:09"}))
        with pytest.raises(StudyError, match="is being worked on by process 7 on node7"):
            check()
    assert (folder / "lock").exists()
