"""A web server that plays a public record of files, well or badly."""

import hashlib
import re
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1 << 14


@dataclass(frozen=True)
class Conduct:
    """How a request is answered."""

    status: int | None = None  # an error's, without the file
    headers: Mapping[str, str] = field(default_factory=dict)
    to: str = ""  # the address of a redirection
    ranges: bool = True  # whether a part is given to who asks for one
    part: str | None = None  # the Content-Range that is claimed for whatever is sent; empty for none
    length: bool = True  # whether the answer says how long it is
    contents: Callable[[bytes], bytes] = bytes  # what is sent in the file's place
    cut_after: int | None = None  # bytes until the connection ends
    reset: bool = False  # whether it ends by a reset
    mute_after: int | None = None  # bytes until the server is silent, until told to speak; -1: not even a status line


WELL = Conduct()


@dataclass
class Answer:
    """What a request asked for and got."""

    name: str
    ranged: bool  # whether a part was asked for
    start: int  # of the part; 0 for the whole file
    sent: int = 0  # bytes of the file


class RecordServer:
    """Files over HTTP on a free port, in a `with` block; `answers` tells what was asked and sent."""

    def __init__(self, files: Mapping[str, bytes]):
        self.files = dict(files)
        self.answers: list[Answer] = []
        self._plans: defaultdict[str, deque[Conduct]] = defaultdict(deque)
        self._afterwards: dict[str, Conduct] = {}
        self._spoken = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.speak()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/files"

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"

    def listing(self) -> list[dict]:
        """Name, size and MD5 of every file."""
        return [
            {"name": name, "bytes": len(content), "md5": hashlib.md5(content).hexdigest()}
            for name, content in self.files.items()
        ]

    def plan(self, name: str, *conducts: Conduct, afterwards: Conduct = WELL) -> None:
        """Answer the next requests for a file so, and all that follow as `afterwards`."""
        self._plans[name] = deque(conducts)
        self._afterwards[name] = afterwards

    def speak(self) -> None:
        """Go on where the server is silent."""
        self._spoken.set()

    def sent(self, name: str) -> int:
        """How many bytes of a file were sent in all."""
        return sum(answer.sent for answer in self.answers if answer.name == name)

    def starts(self, name: str) -> list[int]:
        """From where on each request asked for a file."""
        return [answer.start for answer in self.answers if answer.name == name]

    def wait_until_sent(self, name: str, count: int, timeout_s: float = 120.0) -> None:
        """Wait until so many bytes of a file have been sent."""
        end = time.monotonic() + timeout_s
        while self.sent(name) < count:
            assert time.monotonic() < end, f"{self.sent(name)} of {count} bytes of {name} were sent in {timeout_s} s"
            time.sleep(0.005)

    def _handler(record):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                answer = Answer(name, bool(asked), int(asked[1]) if asked else 0)
                record.answers.append(answer)
                plan = record._plans[name]
                conduct = plan.popleft() if plan else record._afterwards.get(name, WELL)
                with suppress(BrokenPipeError, ConnectionResetError):  # the client has had enough
                    self.reply(conduct, answer)
                self.close_connection = True

            def reply(self, conduct, answer):
                if conduct.mute_after == -1:
                    record._spoken.wait()
                    return
                if conduct.status or conduct.to or answer.name not in record.files:
                    return self.refuse(conduct)
                content = conduct.contents(record.files[answer.name])
                ranged = answer.ranged and conduct.ranges and conduct.part is None
                start = answer.start if ranged else 0
                if ranged and start >= len(content):
                    return self.refuse(Conduct(416, {"Content-Range": f"bytes */{len(content)}"}))
                part = conduct.part
                if ranged:
                    part = f"bytes {start}-{len(content) - 1}/{len(content) if conduct.length else '*'}"
                self.send_response(200 if part is None else 206)
                if part:
                    self.send_header("Content-Range", part)
                if conduct.length:
                    self.send_header("Content-Length", str(len(content) - start))
                for key, value in conduct.headers.items():
                    self.send_header(key, value)
                self.end_headers()
                self.send_file(conduct, answer, content[start:])

            def refuse(self, conduct):
                self.send_response(302 if conduct.to else conduct.status or 404)
                if conduct.to:
                    self.send_header("Location", conduct.to)
                for key, value in conduct.headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "7")
                self.end_headers()
                self.wfile.write(b"<html/>")

            def send_file(self, conduct, answer, content):
                content = content[: conduct.cut_after]
                if conduct.mute_after is not None:
                    self.send(answer, content[: conduct.mute_after])
                    content = content[conduct.mute_after :]
                    record._spoken.wait()
                self.send(answer, content)
                if conduct.reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            def send(self, answer, content):
                for place in range(0, len(content), PIECE):
                    piece = content[place : place + PIECE]
                    self.wfile.write(piece)
                    answer.sent += len(piece)

            def log_message(self, *_):
                pass

        return Handler
