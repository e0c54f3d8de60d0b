"""Say how long the study takes on this machine and what it occupies, from some timed steps of each network."""

import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas

from channel_sparsity.configuration import shape_of
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.files import write_csv, write_json
from channel_sparsity.planning.decoding import decoding_s
from channel_sparsity.planning.estimate import Pace, average, clips_of, lines, rows_of, summary
from channel_sparsity.planning.speed import measure, start_s
from channel_sparsity.training.device import device_name, device_of
from job import job
from warm_start import LOADED

PROCESSES = 8  # that measure side by side on a CPU; more cores are taken to be as fast


def measure_pace(config, scenes, wanted):
    """The pace of one process: start, decoding and speeds, in the order in which they are measured."""
    device, training = device_of(wanted), config["training"]
    begin = start_s(training, device)
    block = config["datasets"][config["dataset"]]
    logmel = logmel_of(block["features"])
    speeds = {
        name: measure(name, shape_of(config, name), scenes, logmel.n_mels, logmel.frames, training, device)
        for name in config["networks"]
    }
    return Pace(speeds, begin, decoding_s(source_of(block, config["dataset"])), device_name(device))


# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        config, cores = snakemake.params.configuration, snakemake.params.cores
        wanted = "cpu" if snakemake.params.device == "cpu" else "auto"  # plans are made where no GPU is, too
        extent = source_of(config["datasets"][config["dataset"]], config["dataset"]).extent()
        # All cores at work, as in the study: two that share a cache or a clock are slower than one alone.
        # A GPU is busy with one.
        workers = max(
            1, min(cores // config["training"]["threads"], PROCESSES if device_of(wanted).type == "cpu" else 1)
        )
        # Forked, as the study's jobs are, from a process that has the libraries: to load them costs no job anything.
        forks = get_context("forkserver")
        forks.set_forkserver_preload(LOADED)
        with ProcessPoolExecutor(workers, forks) as pool:
            waiting = [pool.submit(measure_pace, config, extent.scenes, wanted) for _ in range(workers)]
            pace = average([each.result() for each in waiting])
        clips = clips_of(extent.clips, config["split"])
        rows = rows_of(config, pace, clips)
        estimate = summary(config, pace, clips, rows, cores, snakemake.params.sharing)
        write_csv(snakemake.output.table, pandas.DataFrame(rows))
        write_json(snakemake.output.estimate, estimate)
        for line in lines(estimate, rows):
            logging.info("%s", line)
            print(line, file=sys.stderr, flush=True)
