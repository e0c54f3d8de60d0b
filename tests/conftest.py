"""What every test runs under."""

import os
import signal

# Two processes of two threads each can be thirty times slower than of one thread each; and bits depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from contextlib import suppress

from channel_sparsity.arithmetic import hold
from channel_sparsity.files import StudyError

with suppress(StudyError):  # of a processor that can only do native arithmetic; `same_bits` tests then skip
    hold("portable")

from hypothesis import settings

# A busy machine is no failure, and a failure is the same each time.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# What is started in the background of a shell ignores Ctrl-C, and so would all that tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
