"""Time every model file, and the memory that it takes."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas

from channel_sparsity.deployment.running import running_cost
from channel_sparsity.files import write_csv
from job import job

# The guard is for the processes, one a file, which import this one. They are forked from one that has the libraries.
if __name__ == "__main__":
    with job(snakemake):
        context = get_context("forkserver")
        context.set_forkserver_preload(["channel_sparsity.deployment.running"])
        with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes:
            costs = list(processes.map(running_cost, snakemake.input))
        files = [{"file": Path(path).name} for path in snakemake.input]
        rows = [file | cost for file, cost in zip(files, costs, strict=True)]
        columns = ["file", "clip_ms", "front_end_ms", "network_ms", "peak_memory_mb"]
        write_csv(snakemake.output[0], pandas.DataFrame(rows, columns=columns))
