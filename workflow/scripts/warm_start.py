"""Jobs that start at once: forked from a process that has imported what they need.

A study has many jobs of seconds, and Python, PyTorch and pandas take two or three seconds to start. Here the scripts of
Snakemake's `script:` run in forks of one server process of Python's multiprocessing, started with the first job. The
server has loaded libraries and computed nothing, so that a job begins as it would in a process of its own.
"""

import multiprocessing
import os
import runpy
import subprocess
import threading
from multiprocessing.connection import wait

from channel_sparsity.bookkeeping.snakemake_internals import start_scripts_by

#: What is loaded once: Snakemake for the objects that scripts are handed, and what is slow to import.
LOADED = ["snakemake.cli", "torch", "torchaudio.functional", "pandas", "h5py", "scipy.signal", "scipy.stats", "kneed"]
LOADED += [
    "safetensors.torch",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
]
LOADED += ["onnx", "onnxruntime"]

#: Jobs from which on a server is worth the five seconds that it takes to load all that.
WORTHWHILE = 4


def install() -> None:
    """From now on, start the scripts of this process's jobs from the server; but not in conda or a container."""
    # A thread each, as Snakemake gives a rule of one thread; a training sets its own number.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(LOADED)
    one_at_a_time = threading.Lock()

    def start(fname):
        job = forks.Process(target=runpy.run_path, args=(fname,), kwargs={"run_name": "__main__"})
        # Each start asks how other jobs have ended, and of two threads that ask at once one gets no answer.
        with one_at_a_time:
            job.start()
        wait([job.sentinel])
        with one_at_a_time:
            job.join()
        if job.exitcode:
            raise subprocess.CalledProcessError(job.exitcode, f"python {fname}")

    start_scripts_by(start)
