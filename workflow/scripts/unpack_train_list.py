"""Take the list of the training clips out of a record's metadata."""

from pathlib import Path

from channel_sparsity.data.archives import find, read_bytes
from channel_sparsity.files import write_bytes
from job import job

with job(snakemake):
    write_bytes(snakemake.output[0], read_bytes(find(Path(snakemake.input[0]), snakemake.params.filename)))
