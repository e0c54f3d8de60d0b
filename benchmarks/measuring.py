"""What the benchmarks share: sides that are timed in turn, the machine, and the page that the results go to.

Other work on a machine disturbs what is timed, so only what was timed in turn, within one run, is compared, as the
median of the ratios of neighbours, with their quartiles.
"""

import math
import os
import platform
import re
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from channel_sparsity import machine as processor
from channel_sparsity.arithmetic import hold, in_force
from channel_sparsity.memory import KEEP_FREED_MEMORY

hold("portable")  # as every study is unless it says otherwise

import numpy
import pandas

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
INTRODUCTION = """# Speed, measured

Written by the scripts in `benchmarks/`, each its section (`make bench` runs those that take minutes, the others say how
they are run); do not edit. The machine may have had other work: compare within a table, not between tables. Sides were
timed in turn; *a [b, c]* is a median with its quartiles. Times are CPU time (`getrusage`) where a table does not say
wall time, which other work lengthens. "Memory kept" means the settings of the allocator that every job of the workflow
runs with (`channel_sparsity/memory.py`).
"""


class Cost(NamedTuple):
    """What a piece of work took: seconds, and the most memory that one process of it had so far, in bytes."""

    cpu: float
    wall: float
    peak: int


class Side:
    """A process of its own that does the same work whenever it is asked, on one thread.

    `prepare(*arguments)`, a function of a module, returns the work. `memory_kept`: see `INTRODUCTION`.
    """

    def __init__(self, prepare: Callable[..., Callable[[], object]], *arguments, memory_kept: bool):
        ours, theirs = get_context("spawn").Pipe()
        self._connection = ours
        with _environment(memory_kept):
            get_context("spawn").Process(target=_serve, args=(theirs, prepare, arguments)).start()
        theirs.close()

    def __call__(self) -> Cost:
        """Do the work once."""
        self._connection.send(True)
        return self._connection.recv()

    def close(self) -> None:
        """Let the process end."""
        self._connection.close()


@contextmanager
def _environment(memory_kept: bool) -> Iterator[None]:
    """The environment of one-threaded work, with or without the jobs' settings of the allocator."""
    before = dict(os.environ)
    for variable in KEEP_FREED_MEMORY:
        os.environ.pop(variable, None)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.environ.update(threads | (KEEP_FREED_MEMORY if memory_kept else {}))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serve(connection: Connection, prepare: Callable, arguments: tuple) -> None:
    work = prepare(*arguments)
    with suppress(EOFError):  # the other end is closed
        while connection.recv():
            cpu, wall = _cpu_seconds(), time.perf_counter()
            work()
            taken = (_cpu_seconds() - cpu, time.perf_counter() - wall)
            connection.send(Cost(*taken, 1024 * max(used.ru_maxrss for used in _used())))


def _cpu_seconds() -> float:
    return sum(used.ru_utime + used.ru_stime for used in _used())


def _used() -> list[resource.struct_rusage]:
    """What this process has used, and those that it started and that ended."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


class Measured(NamedTuple):
    """What sides cost: CPU and wall seconds [rounds, sides], and each side's peak memory in bytes."""

    cpu: pandas.DataFrame
    wall: pandas.DataFrame
    peak: dict[str, int]


def in_turn(sides: Mapping[str, Side], rounds: int, warm_up: int = 1) -> Measured:
    """Ask every side in turn, some rounds more than count, and close them."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    try:
        for _ in range(warm_up + rounds):
            for name, side in sides.items():
                costs[name].append(side())
    finally:
        for side in sides.values():
            side.close()
    cpu, wall = ({name: [cost[i] for cost in some[warm_up:]] for name, some in costs.items()} for i in (0, 1))
    return Measured(
        pandas.DataFrame(cpu), pandas.DataFrame(wall), {name: some[-1].peak for name, some in costs.items()}
    )


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Median and quartiles, in `digits` significant digits."""
    low, middle, high = numpy.percentile(list(values), [25, 50, 75])
    return f"{rounded(middle, digits)} [{rounded(low, digits)}, {rounded(high, digits)}]"


def rounded(value: float, digits: int = 3) -> str:
    """A number in so many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def machine(*packages: str) -> str:
    """A sentence on what was measured on, when and with which versions."""
    here = processor.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Measured on {here['cores']} cores of {here['cpu']} ({here['instruction_set']}), {in_force()} arithmetic, "
        f"{time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {versions}."
    )


def write_section(title: str, *paragraphs: str) -> None:
    """Put a section into the page, in the place of the one of this title, or at the end."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else INTRODUCTION
    _, *old = re.split(r"^## ", page, flags=re.MULTILINE)
    sections = {text.split("\n", 1)[0]: text.split("\n", 1)[1].strip() for text in old}
    sections[title] = "\n\n".join(paragraphs)
    body = "\n\n".join(f"## {name}\n\n{text}" for name, text in sections.items())
    PAGE.write_text(f"{INTRODUCTION}\n{body}\n", encoding="utf-8")
    print(f"{title}: {PAGE}", flush=True)
