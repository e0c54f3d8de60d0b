"""Whatever the line and the server do, the file is right, or the run stops with a sentence and what came is kept."""

import errno
import fcntl
import hashlib
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_server import Conduct, RecordServer

from channel_sparsity.data import partial
from channel_sparsity.data.sources.record.download import Patience, download
from channel_sparsity.files import StudyError

NAME = "audio.1.zip"
CONTENT = hashlib.shake_128(b"audio").digest(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
SHORT = Patience(tries=4)
CUT = 100_000


@pytest.fixture
def server():
    with RecordServer({NAME: CONTENT}) as record:
        yield record


class Visit:
    """A download in a folder of its own, and what it said and waited for."""

    def __init__(self, server, folder):
        self.server, self.path = server, folder / "archives" / NAME
        self.partial = self.path.with_name(f"{NAME}.partial")
        self.pauses, self.reports = [], []

    def leave(self, data):
        """Leave a partial file, as an earlier run would."""
        self.path.parent.mkdir(exist_ok=True)
        self.partial.write_bytes(data)

    def run(self, url=None, patience=SHORT):
        url = url or self.server.url(NAME)
        download(url, self.path, len(CONTENT), MD5, self.reports.append, patience, self.pauses.append)

    def succeeds(self, **changes):
        """The file is there, whole, and nothing beside it."""
        self.run(**changes)
        assert self.path.read_bytes() == CONTENT
        assert os.listdir(self.path.parent) == [NAME]
        assert self.reports[-1] == len(CONTENT)

    def fails(self, **changes):
        """No file is there, and the sentence, which names the address, is returned."""
        with pytest.raises(StudyError) as raised:
            self.run(**changes)
        assert not self.path.exists()
        sentence = str(raised.value)
        assert "\n" not in sentence and NAME in sentence and ": " in sentence
        return sentence


@pytest.fixture
def visit(server, tmp_path):
    return Visit(server, tmp_path)


def test_a_good_line(visit, server):
    visit.succeeds()
    assert [answer.ranged for answer in server.answers] == [False] and visit.pauses == []
    assert visit.reports == sorted(visit.reports) and visit.reports[0] == 0


def test_what_is_there_already_is_not_asked_for(visit, server):
    visit.succeeds()
    visit.run()
    assert len(server.answers) == 1 and os.listdir(visit.path.parent) == [NAME]


def test_a_damaged_file_is_replaced(visit):
    visit.leave(b"")
    visit.path.write_bytes(CONTENT[:-1] + b"?")
    visit.succeeds()


@pytest.mark.parametrize("reset", [False, True])
def test_a_line_that_breaks_costs_no_byte_twice(visit, server, reset):
    server.plan(NAME, afterwards=Conduct(cut_after=7_000, reset=reset))
    visit.succeeds()
    assert server.starts(NAME) == list(range(0, len(CONTENT), 7_000))
    # Every connection brought something, so no pause grew and the budget of four tries held for 43.
    assert all(2 <= pause <= 2.5 for pause in visit.pauses)


def test_an_earlier_run_is_gone_on_from(visit, server):
    visit.leave(CONTENT[:250_000])
    visit.succeeds()
    assert visit.reports[0] == 250_000 and server.sent(NAME) == 50_000


def test_a_complete_partial_file_is_only_verified(visit, server):
    visit.leave(CONTENT)
    visit.succeeds()
    assert server.answers == []


@pytest.mark.parametrize("left", [CONTENT + b"more", b"?" * 250_000, b"?" * len(CONTENT)])
def test_wrong_bytes_of_an_earlier_run_are_fetched_anew(visit, server, left):
    visit.leave(left)
    visit.succeeds()
    assert server.starts(NAME)[-1] == 0


def test_a_server_without_ranges_loses_nothing_of_what_is_here(visit, server):
    server.plan(NAME, Conduct(cut_after=200_000), Conduct(ranges=False, cut_after=CUT), Conduct(ranges=False))
    visit.succeeds()
    assert visit.reports == sorted(visit.reports)


def test_a_server_without_ranges_on_a_line_too_bad_for_it_ends_in_a_sentence(visit, server):
    server.plan(NAME, afterwards=Conduct(ranges=False, cut_after=CUT))
    assert "nothing new in 4 tries" in visit.fails()
    assert visit.partial.read_bytes() == CONTENT[:CUT]
    server.plan(NAME)
    visit.succeeds()


def test_a_server_that_sends_another_part_than_asked_for(visit, server):
    visit.leave(CONTENT[:CUT])
    early, late = (f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}" for start in (CUT - 1, CUT + 1))
    server.plan(
        NAME,
        Conduct(part=late, contents=lambda content: content[CUT + 1 :]),
        Conduct(part="", contents=lambda content: content[CUT:]),
        Conduct(part=early, contents=lambda content: content[CUT - 1 :]),
    )
    visit.succeeds()
    assert server.starts(NAME) == [CUT, CUT, CUT] and len(visit.pauses) == 2


def test_416_for_a_part_that_the_file_has(visit, server):
    visit.leave(CONTENT[:CUT])
    server.plan(NAME, Conduct(416))
    visit.succeeds()
    assert server.starts(NAME) == [CUT, 0]


def test_a_file_that_ends_before_the_partial_one(visit, server):
    visit.leave(CONTENT[:CUT])
    server.plan(NAME, afterwards=Conduct(contents=lambda content: content[:10]))
    assert "has 10 bytes (of no type) instead of 300,000" in visit.fails()
    assert visit.partial.read_bytes() == CONTENT[:CUT]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_waited_out(visit, server, status):
    server.plan(NAME, Conduct(status), Conduct(cut_after=CUT), Conduct(status), Conduct(status))
    visit.succeeds()
    growing = [4, 2, 4, 8]  # after 1, 0, 1 and 2 failures without a byte
    assert all(low <= pause <= 1.25 * low for pause, low in zip(visit.pauses, growing, strict=True))


def test_the_pauses_stay_below_their_bound(visit, server):
    server.plan(NAME, afterwards=Conduct(503))
    sentence = visit.fails(patience=Patience(tries=12))
    assert "nothing new in 12 tries, at last because the server answered 503 Service Unavailable" in sentence
    assert max(visit.pauses) <= 1.25 * 300 and len(visit.pauses) == 11
    assert not visit.partial.exists()  # nothing had come


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("by_date", [False, True])
def test_retry_after_is_kept_to(visit, server, status, by_date):
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True) if by_date else "120"
    server.plan(NAME, Conduct(status, {"Retry-After": then}))
    visit.succeeds()
    (pause,) = visit.pauses
    assert 115 <= pause <= 150


@pytest.mark.parametrize("asked", ["soon", "-5", "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 -0000"])
def test_a_retry_after_that_asks_for_nothing(visit, server, asked):
    server.plan(NAME, Conduct(429, {"Retry-After": asked}))
    visit.succeeds()
    assert 4 <= visit.pauses[0] <= 5


def test_a_pause_of_hours_is_left_to_the_user(visit, server):
    visit.leave(CONTENT[:CUT])
    server.plan(NAME, Conduct(429, {"Retry-After": "7200"}))
    sentence = visit.fails()
    assert "not to be asked again for 120 minutes (the server answered 429 Too Many Requests): run again" in sentence
    assert "100,000 of 300,000 bytes are kept" in sentence
    assert visit.partial.read_bytes() == CONTENT[:CUT]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_stops_at_once_and_keeps_what_is_there(visit, server, status):
    visit.leave(CONTENT[:CUT])
    server.plan(NAME, Conduct(status))
    assert f"{server.url(NAME)} was answered {status} " in visit.fails()
    assert len(server.answers) == 1 and visit.partial.read_bytes() == CONTENT[:CUT]
    visit.succeeds()
    assert server.sent(NAME) == len(CONTENT) - CUT


def test_redirections_are_followed_with_their_range(visit, server):
    server.files["elsewhere"] = CONTENT
    server.plan(NAME, afterwards=Conduct(to=server.url("elsewhere")))
    server.plan("elsewhere", Conduct(cut_after=CUT))
    visit.succeeds()
    assert server.starts("elsewhere") == [0, CUT]


def test_a_redirection_in_a_circle(visit, server):
    server.plan(NAME, afterwards=Conduct(to=server.url(NAME)))
    assert "30 redirects" in visit.fails()


@pytest.mark.parametrize("conduct", [Conduct(mute_after=-1), Conduct(mute_after=0), Conduct(mute_after=CUT)])
def test_a_silent_server_is_left_after_a_while(visit, server, conduct):
    server.plan(NAME, conduct)
    visit.succeeds(patience=Patience(silence_s=1.0))
    assert server.starts(NAME) == [0, max(0, conduct.mute_after)]


def test_a_server_that_stays_silent(visit, server):
    server.plan(NAME, afterwards=Conduct(mute_after=-1))
    assert "at last because the server was silent for too long: run again" in visit.fails(
        patience=Patience(silence_s=0.05, tries=3)
    )


def test_nobody_at_the_address(visit):
    with RecordServer({}) as gone:
        url = gone.url(NAME)
    assert "at last because the connection failed (Connection refused): run again" in visit.fails(url=url)
    assert len(visit.pauses) == SHORT.tries - 1


@pytest.mark.parametrize("url", [f"ftp://x/{NAME}", NAME, f"http:///{NAME}"])
def test_what_is_no_address(visit, url):
    assert "cannot be asked for" in visit.fails(url=url)


def test_wrong_bytes_of_the_right_length(visit, server):
    server.plan(NAME, Conduct(contents=lambda content: content[:-1] + b"?"))
    visit.succeeds()
    assert server.starts(NAME) == [0, 0]


def test_contents_that_stay_wrong(visit, server):
    server.plan(NAME, afterwards=Conduct(contents=lambda content: content[::-1]))
    sentence = visit.fails()
    assert hashlib.md5(CONTENT[::-1]).hexdigest() in sentence and MD5 in sentence and "fetched 2 times" in sentence
    assert server.sent(NAME) == 2 * len(CONTENT) and os.listdir(visit.path.parent) == []
    server.plan(NAME)
    visit.succeeds()


def test_a_file_of_another_size_is_told_by_its_announcement(visit, server):
    html = Conduct(headers={"Content-Type": "text/html"}, contents=lambda _: b"<html>Please log in</html>")
    server.plan(NAME, html)
    assert "has 26 bytes (text/html) instead of 300,000" in visit.fails()
    assert not visit.partial.exists()
    server.plan(NAME, Conduct(contents=lambda content: content + b"?"))
    assert "has 300,001 bytes" in visit.fails()
    visit.leave(CONTENT[:CUT])
    server.plan(NAME, Conduct(contents=lambda content: content + b"?"))
    assert "has 300,001 bytes" in visit.fails()
    assert visit.partial.read_bytes() == CONTENT[:CUT]


def test_too_many_bytes_without_an_announcement(visit, server):
    server.plan(NAME, afterwards=Conduct(length=False, contents=lambda content: content * 100))
    assert "more or less than 300,000 bytes, and was fetched 2 times" in visit.fails()
    assert server.sent(NAME) < 40 * len(CONTENT)  # nothing fills the disk
    server.plan(NAME, Conduct(length=False, contents=lambda content: content + b"?"))
    visit.succeeds()


def test_too_few_bytes_without_an_announcement(visit, server):
    server.plan(NAME, Conduct(length=False, cut_after=CUT))
    visit.succeeds()
    assert server.starts(NAME) == [0, CUT]


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans(), st.booleans()), max_size=8))
def test_any_cuts_end_with_the_same_bytes(tmp_path_factory, cuts):
    content = CONTENT[:5000]
    path = tmp_path_factory.mktemp("cuts") / NAME
    with RecordServer({NAME: content}) as record:
        record.plan(NAME, *(Conduct(cut_after=cut, reset=reset, ranges=ranges) for cut, reset, ranges in cuts))
        download(
            record.url(NAME), path, len(content), hashlib.md5(content).hexdigest(), lambda _: None,
            Patience(tries=10), lambda _: None,
        )  # fmt: skip
        assert path.read_bytes() == content


# What follows needs processes of its own.

PROGRAM = """
    import logging, sys
    from channel_sparsity.data.sources.record.download import download
    from channel_sparsity.files import StudyError
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    url, path, size, md5 = sys.argv[1:]
    try:
        download(url, path, int(size), md5, lambda done: None, sleep=lambda s: time.sleep(0.01))
    except StudyError as error:
        sys.exit(str(error))
"""


def process(visit, before=""):
    """Start a download in a process of its own."""
    program = f"import time\n{before}\n{textwrap.dedent(PROGRAM)}"
    return subprocess.Popen(
        [sys.executable, "-c", program, visit.server.url(NAME), str(visit.path), str(len(CONTENT)), MD5],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "workflow/scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_download_is_gone_on_from(visit, server):
    server.plan(NAME, Conduct(mute_after=CUT))
    running = process(visit)
    server.wait_until_sent(NAME, CUT)
    wait_for(lambda: visit.partial.exists() and visit.partial.stat().st_size == CUT)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    running.communicate()
    visit.succeeds()
    assert server.starts(NAME) == [0, CUT] and server.sent(NAME) == len(CONTENT)


def wait_for(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_second_of_two_waits_and_takes_what_the_first_has_made(visit, server):
    server.plan(NAME, Conduct(mute_after=CUT))
    first = process(visit)
    server.wait_until_sent(NAME, CUT)
    second = process(visit)
    assert "is being written by another process" in second.stdout.readline()
    server.speak()
    for each in (first, second):
        each.communicate(timeout=120)
        assert each.returncode == 0
    assert visit.path.read_bytes() == CONTENT and os.listdir(visit.path.parent) == [NAME]
    assert server.sent(NAME) == len(CONTENT)


def test_the_second_of_two_goes_on_where_the_first_was_killed(visit, server):
    server.plan(NAME, Conduct(mute_after=CUT))
    first = process(visit)
    server.wait_until_sent(NAME, CUT)
    wait_for(lambda: visit.partial.exists() and visit.partial.stat().st_size == CUT)
    second = process(visit)
    assert "another process" in second.stdout.readline()
    first.kill()
    first.communicate()
    second.communicate(timeout=120)
    assert second.returncode == 0 and visit.path.read_bytes() == CONTENT
    assert server.starts(NAME) == [0, CUT]


def test_a_full_disk_is_said_and_what_came_is_kept(visit, server):
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))"
    running = process(visit, limit)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 1
    assert said == f"{visit.partial} cannot be written (File too large): make room for it and run again; " \
        "what has come so far is kept\n"  # fmt: skip
    assert visit.partial.read_bytes() == CONTENT[:150_000]
    visit.succeeds()
    assert server.starts(NAME) == [0, 150_000]


def test_a_folder_that_cannot_be_written(visit, tmp_path):
    (tmp_path / "archives").write_text("a file where a folder should be")
    assert "cannot be written (File exists)" in visit.fails()


def test_a_file_system_without_locks(visit, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING):
        visit.succeeds()
    assert "cannot be locked (No locks available): let only one run at a time write it" in caplog.text


def test_a_name_that_another_process_took_away_is_opened_anew(tmp_path, monkeypatch):
    path = tmp_path / NAME
    renamed = []

    def lock(file, sleep):
        if not renamed:
            renamed.append(Path(file.name).rename(path))

    monkeypatch.setattr(partial, "_lock", lock)
    with partial.partial_of(path) as held:
        held.append(b"new")
    assert path.read_bytes() == b"" and held.path.read_bytes() == b"new"
