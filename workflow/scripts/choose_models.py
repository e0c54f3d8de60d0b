"""Choose the models to take away."""

import logging

from channel_sparsity.deployment.budget import choose
from channel_sparsity.files import write_csv
from channel_sparsity.tables.front import FRONT
from channel_sparsity.tables.study import read_table
from job import job

with job(snakemake):
    params = snakemake.params
    models = choose(read_table(snakemake.input[0], FRONT), params.wanted, params.budget)
    write_csv(snakemake.output[0], models)
    for model in models.itertuples():
        logging.info("%s: %s", model.model, model.sentence)
        if model.status == "none":
            print(f"{model.model}: {model.sentence}", flush=True)
