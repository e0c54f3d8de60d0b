"""What every test runs under."""

import os
import signal
from pathlib import Path

# Two processes of two threads each can be thirty times slower than of one thread each; and bits depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# A busy machine is no failure, and a failure is the same each time.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What is started in the background of a shell ignores Ctrl-C, and so would all that tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

RUNS = Path(__file__).parent / "workflow"


def pytest_collection_modifyitems(items):
    """Where tests share two processes (`make test`), one takes all real runs: they go by one finished study."""
    for item in items:
        if RUNS in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("runs"))
