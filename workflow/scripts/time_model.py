"""Time a model's files, and the memory that they take."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas

from channel_sparsity.deployment.running import running_cost
from channel_sparsity.files import write_csv
from job import job

# The guard is for the processes, one a file, which import this one.
if __name__ == "__main__":
    with job(snakemake):
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
            costs = list(processes.map(running_cost, list(snakemake.input)))
        forms = pandas.DataFrame({"form": ["float32", "int8"]})
        write_csv(snakemake.output[0], pandas.concat([forms, pandas.DataFrame(costs)], axis=1))
