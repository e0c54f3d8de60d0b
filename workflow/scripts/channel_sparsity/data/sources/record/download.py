"""Download of a file whose size and MD5 are known, over a line that breaks and from a server that refuses.

The bytes gather in `<file>.partial` beside the file, which outlives broken lines, kills and restarts, only ever grows
(until its contents turn out wrong), and becomes the file by renaming once its size and MD5 are right.
"""

import http.client
import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import requests
import urllib3

from channel_sparsity.data.partial import Partial, md5_of, partial_of
from channel_sparsity.files import StudyError

log = logging.getLogger(__name__)

BYTES_AT_ONCE = 1 << 17
#: What a server answers that may answer otherwise later; all from 500 on belong to it too.
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
ADVICE = "correct the record's `address`, or `name`, `bytes` and `md5` of this archive, in the configuration"


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server and how often to try; a try that brings a new byte lets the count start anew.

    Without a new byte the pauses double from 4 s to 5 minutes and last about 20 minutes in all.
    """

    connect_s: float = 30.0
    silence_s: float = 60.0
    tries: int = 10
    first_pause_s: float = 2.0
    longest_pause_s: float = 300.0
    longest_asked_s: float = 3600.0  # a server that asks for a longer pause (Retry-After) ends the download
    fetches: int = 2  # of the whole file, if its contents turn out wrong


DEFAULT = Patience()


class Hindrance(Exception):
    """Something that may pass, in words, and the pause that the server asks for (s)."""

    def __init__(self, words: str, asked_s: float = 0.0):
        super().__init__(words)
        self.asked_s = asked_s


def download(
    url: str,
    path: str | Path,
    size: int,
    md5: str,
    report: Callable[[int], None],
    patience: Patience = DEFAULT,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have the file at `url`, of `size` bytes and with the given MD5, as `path`; go on where an earlier try stopped.

    `report(bytes)` is called with how much there is, first with what an earlier try left. A broken or silent line and
    the answers 408, 425, 429 and 5xx are tried again after growing pauses or the one that the server asks for. Other
    answers, a file of another size, contents that stay wrong, a full disk and the end of `patience` raise `StudyError`;
    all but wrong contents keep what has come. A second process that wants the same file waits for the first one.
    """
    path = Path(path)
    with partial_of(path, sleep) as partial:
        if path.is_file() and not _wrong(path, size, md5):
            partial.clear()
            return
        for fetch in range(1, patience.fetches + 1):
            _fetch(url, partial, size, report, patience, sleep)
            wrong = _wrong(partial.path, size, md5)
            if not wrong:
                partial.become(path)
                return
            log.warning("%s brought %s (%d of %d fetches)", url, wrong, fetch, patience.fetches)
            partial.clear()
    raise StudyError(f"{url} brought {wrong}, and was fetched {patience.fetches} times: {ADVICE}")


def _wrong(path: Path, size: int, md5: str) -> str:
    """What is wrong with the contents of a file, empty if nothing is."""
    if path.stat().st_size != size:
        return f"more or less than {size:,} bytes"
    found = md5_of(path)
    return f"contents with the MD5 {found} instead of {md5}" if found != md5 else ""


def _fetch(
    url: str,
    partial: Partial,
    size: int,
    report: Callable[[int], None],
    patience: Patience,
    sleep: Callable[[float], None],
) -> None:
    """Append to the partial file until it has `size` bytes or turns out longer."""
    failures = 0
    report(have := partial.length)
    while have < size:
        try:
            for chunk in _stream(url, have, size, patience):
                partial.append(chunk)
                report(partial.length)
                if partial.length > size:
                    return
            hindrance = Hindrance("the line broke")
        except Hindrance as error:
            hindrance = error
        before, have = have, partial.length
        if have < size:
            failures = 0 if have > before else failures + 1
            kept = f"{have:,} of {size:,} bytes are kept in {partial.path}"
            pause = _pause(url, failures, hindrance, patience, kept)
            level = logging.WARNING if failures else logging.INFO
            log.log(level, "%s: %s; trying again in %.0f s (%s)", url, hindrance, pause, kept)
            sleep(pause)


def _pause(url: str, failures: int, hindrance: Hindrance, patience: Patience, kept: str) -> float:
    """How long to wait (s) after so many failures in a row; raises `StudyError` at the end of `patience`."""
    if failures == patience.tries:
        raise StudyError(
            f"{url} brought nothing new in {failures} tries, at last because {hindrance}: run again when network and "
            f"server are well; {kept}"
        )
    if hindrance.asked_s > patience.longest_asked_s:
        raise StudyError(
            f"{url} is not to be asked again for {hindrance.asked_s / 60:.0f} minutes ({hindrance}): run again after "
            f"that; {kept}"
        )
    growing = min(patience.first_pause_s * 2**failures, patience.longest_pause_s)
    # Up to a quarter more, so that downloads that failed together do not come back together.
    return max(growing, hindrance.asked_s) * random.uniform(1, 1.25)


def _stream(url: str, have: int, size: int, patience: Patience) -> Iterator[bytes]:
    """The bytes of the file from the place `have` on, in pieces as they come; `Hindrance` where they break off."""
    try:
        with _ask(url, have, patience) as answer:
            _check_status(answer, url)
            superfluous = have - _start(answer, url, size)
            if superfluous < 0:
                raise Hindrance("the server sent another part than asked for")
            while chunk := answer.raw.read1(BYTES_AT_ONCE, decode_content=False):
                # A server that knows no ranges sends again what is here already.
                skipped = min(superfluous, len(chunk))
                superfluous -= skipped
                if len(chunk) > skipped:
                    yield chunk[skipped:]
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Hindrance("the server was silent for too long") from error
    except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
        raise Hindrance(f"the connection failed ({_innermost(error)})") from error
    except requests.RequestException as error:
        raise StudyError(f"{url} cannot be asked for ({error}): {ADVICE}") from error


def _ask(url: str, have: int, patience: Patience) -> requests.Response:
    """Ask for the file from the place `have` on, or for all of it if the server refuses that part."""

    def ask(**headers: str) -> requests.Response:
        return requests.get(
            url,
            headers={"Accept-Encoding": "identity", **headers},
            stream=True,
            timeout=(patience.connect_s, patience.silence_s),
        )

    if not have:
        return ask()
    answer = ask(Range=f"bytes={have}-")
    if answer.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return answer
    answer.close()
    return ask()


def _check_status(answer: requests.Response, url: str) -> None:
    """Pass if the answer holds the file or a part of it."""
    status = answer.status_code
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    words = f"{status} {answer.reason or ''}".strip()
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Hindrance(f"the server answered {words}", _asked_pause(answer.headers.get("Retry-After", "")))
    raise StudyError(f"{url} was answered {words}: {ADVICE}")


def _asked_pause(retry_after: str) -> float:
    """The pause (s) in a Retry-After header, which holds seconds or a date; 0 without one."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _start(answer: requests.Response, url: str, size: int) -> int:
    """The place of an answer's first byte in the file, whose size must be right as far as the server says it."""
    start, total = 0, answer.headers.get("Content-Length", "")
    if answer.status_code == HTTPStatus.PARTIAL_CONTENT:
        part = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if not part:
            raise Hindrance("the server sent a part without saying which")
        start, total = int(part[1]), part[2]
    if total.isdecimal() and int(total) != size:
        kind = answer.headers.get("Content-Type", "of no type")
        raise StudyError(
            f"{url} has {int(total):,} bytes ({kind}) instead of {size:,}: {ADVICE}, or log in if the network asks for "
            "that first"
        )
    return start


def _innermost(error: BaseException) -> str:
    """What lies behind an error of the network libraries, without the names of their classes."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, http.client.IncompleteRead):
        return "it ended too early"
    return getattr(error, "strerror", None) or str(error)
