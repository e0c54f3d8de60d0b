"""Decode the clips and compute their log-mel energies into one HDF5 file, with a manifest that stands for it."""

import logging

from channel_sparsity.data.clips import read_clips
from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.data.writing import write_manifest
from channel_sparsity.files import write_csv
from job import job, progress

# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        clips = read_clips(snakemake.input[0])
        logmel = logmel_of(snakemake.params.content["features"])
        with progress("log-mel", len(clips), "clip", log_tenths=True) as report:
            counts, findings = write_store(
                snakemake.output.store,
                clips,
                source_of(snakemake.params.block, snakemake.params.dataset).read,
                logmel,
                snakemake.threads,
                report,
            )
        logging.info("%s", counts)
        write_csv(snakemake.output.findings, findings)
        write_manifest(snakemake.output.manifest, snakemake.params.content, counts, logmel, snakemake.input[0])
