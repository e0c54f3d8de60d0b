"""Take the list of the training clips out of a record's metadata."""

from pathlib import Path

from channel_sparsity.data.archives import find, write_member
from job import job

with job(snakemake):
    write_member(find(Path(snakemake.input[0]), snakemake.params.filename), Path(snakemake.output[0]))
