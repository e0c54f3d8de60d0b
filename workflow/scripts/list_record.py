"""Take the table of a record's clips out of its metadata, and check it before any audio is read."""

import logging
from collections import Counter
from pathlib import Path

from channel_sparsity.data.archives import contents, find, read_bytes
from channel_sparsity.data.meta import check_expected, check_scenes, read_meta, recorded_by
from channel_sparsity.files import write_bytes
from job import job

with job(snakemake):
    archive, meta = Path(snakemake.input[0]), Path(snakemake.output.meta)
    write_bytes(meta, read_bytes(find(archive, "meta.csv")))
    lists = Path(snakemake.output.lists)
    lists.mkdir(exist_ok=True)
    for filename, member in contents(archive).items():
        folder, _, name = filename.rpartition("/")
        if folder == lists.name:
            write_bytes(lists / name, read_bytes(member))
    rows = recorded_by(snakemake.params.devices, read_meta(meta), meta)
    check_scenes(rows, meta)
    check_expected(Counter(row.scene for row in rows), snakemake.params.expected, str(meta))
    logging.info("%d clips", len(rows))
