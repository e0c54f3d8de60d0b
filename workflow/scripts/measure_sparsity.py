"""Weight Skewness, and other measures of how sparse a network's gammas are."""

import pandas

from channel_sparsity.files import write_json
from channel_sparsity.measuring.sparsity import measure
from job import job

with job(snakemake):
    write_json(snakemake.output[0], measure(pandas.read_csv(snakemake.input.gammas)))
