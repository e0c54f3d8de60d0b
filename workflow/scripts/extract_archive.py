"""Compute the features of the clips in one archive, which is read in place."""

import logging
from pathlib import Path

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.meta import read_meta
from channel_sparsity.data.shards import archived_clips, write_shard
from job import job, progress

# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        archive = Path(snakemake.input.archive)
        clips = archived_clips(archive, read_meta(Path(snakemake.input.meta)), snakemake.params.devices)
        logging.info("%d clips of %s", len(clips), ", ".join(snakemake.params.devices))
        with progress(archive.name, len(clips), "clip", log_tenths=True) as report:
            write_shard(
                snakemake.output.features,
                snakemake.output.clips,
                clips,
                logmel_of(snakemake.params.features),
                snakemake.threads,
                snakemake.params.keep_audio,
                report,
            )
