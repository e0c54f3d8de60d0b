"""Split the clips into a training and a validation subset, and learn the normalisation from the former."""

import logging
from pathlib import Path

import numpy

from channel_sparsity.data.meta import read_list
from channel_sparsity.data.splits import describe, official_split, split_clips
from channel_sparsity.data.store import band_statistics, open_store
from channel_sparsity.files import write_csv, write_json
from job import job

with job(snakemake):
    store = open_store(snakemake.input.store)
    settings = snakemake.params.settings
    if settings["kind"] == "official":
        listing = Path(settings["train_list"])
        subset = official_split(store.clips, read_list(listing), str(listing))
    else:
        subset = split_clips(store.clips, **settings)
    write_csv(snakemake.output.split, store.clips[["filename"]].assign(subset=subset))
    train = numpy.flatnonzero(subset == "train")
    logging.info("%s", describe(store.clips["identifier"], subset))
    mean, deviation = band_statistics(store.logmel, train)
    write_json(
        snakemake.output.normalisation,
        {"mean_db": mean.tolist(), "standard_deviation_db": deviation.tolist()},
    )
