"""Decode the clips and compute their log-mel energies into one HDF5 file, with a manifest that stands for it."""

import logging
from pathlib import Path

from channel_sparsity.data.clips import read_clips
from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import sha256, write_json
from job import job, progress


def logmel_of(features):
    """The transform that a data set's `features` describe."""
    return LogMel(
        sample_rate_hz=features["sample_rate_hz"],
        n_fft=features["fft_samples"],
        win_length=features["window_samples"],
        hop_length=features["hop_samples"],
        n_mels=features["bands"],
        fmin_hz=float(features["lowest_hz"]),
        fmax_hz=float(features["highest_hz"]),
        top_db=float(features["dynamic_range_db"]),
        duration_s=float(features["duration_s"]),
    )


# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        clips = read_clips(snakemake.input[0])
        logmel = logmel_of(snakemake.params.block["features"])
        with progress("log-mel", len(clips), "clip", log_tenths=True) as report:
            counts = write_store(
                snakemake.output.store,
                clips,
                Path(snakemake.params.clips),
                logmel,
                snakemake.threads,
                lambda done, total: report(done),
            )
        logging.info("%s", counts)
        write_json(
            snakemake.output.manifest,
            {
                "settings": snakemake.params.block,
                **counts,
                "bands": logmel.n_mels,
                "frames": logmel.frames,
                "clips_sha256": sha256(snakemake.input[0]),
            },
        )
