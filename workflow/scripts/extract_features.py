"""Decode the clips and compute their log-mel energies into one HDF5 file, with a manifest that stands for it."""

import logging

from channel_sparsity.data.clips import read_clips
from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.files import sha256, write_csv, write_json
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
                lambda done, total: report(done),
            )
        logging.info("%s", counts)
        write_csv(snakemake.output.findings, findings)
        write_json(
            snakemake.output.manifest,
            {
                "settings": snakemake.params.content,
                **counts,
                "bands": logmel.n_mels,
                "frames": logmel.frames,
                "clips_sha256": sha256(snakemake.input[0]),
            },
        )
