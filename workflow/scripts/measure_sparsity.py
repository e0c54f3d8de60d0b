"""Weight Skewness, and other measures of how sparse a network's gammas are."""

from channel_sparsity.files import read_csv, write_json
from channel_sparsity.measuring.sparsity import measure
from job import job

with job(snakemake):
    write_json(snakemake.output[0], measure(read_csv(snakemake.input.gammas)))
