"""What every test runs under."""

import os

# Two processes of two threads each can be thirty times slower than of one thread each; and bits depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# A busy machine is no failure, and a failure is the same each time.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
