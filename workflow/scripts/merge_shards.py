"""Merge the archives' features into one store, if all clips are there, with a manifest that stands for it."""

import logging
from pathlib import Path

from channel_sparsity.data.clips import write_clips
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.meta import read_meta, recorded_by
from channel_sparsity.data.shards import merge_shards
from channel_sparsity.data.writing import write_manifest
from channel_sparsity.files import write_csv
from job import job, progress

with job(snakemake):
    content, meta = snakemake.params.content, Path(snakemake.input.meta)
    rows = recorded_by(content["devices"], read_meta(meta), meta)
    names = [archive["name"] for archive in content["record"]["audio"]]
    files = zip(snakemake.input.features, snakemake.input.clips, strict=True)
    logmel = logmel_of(content["features"])
    with progress("log-mel", len(rows), "clip") as report:
        clips, counts, findings = merge_shards(
            snakemake.output.store,
            dict(zip(names, files, strict=True)),
            rows,
            logmel,
            report,
        )
    logging.info("%s", counts)
    write_clips(snakemake.output.clips, clips)
    write_csv(snakemake.output.findings, findings)
    write_manifest(snakemake.output.manifest, content, counts, logmel, snakemake.output.clips)
