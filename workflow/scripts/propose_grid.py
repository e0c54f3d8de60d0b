"""Propose a grid of lambdas for one network on the study's data set, from a few short trainings."""

from channel_sparsity.files import write_csv, write_text
from channel_sparsity.training.settings import training_settings
from channel_sparsity.training.setup import set_up
from channel_sparsity.training.trials import propose
from job import job

with job(snakemake):
    files, params = dict(snakemake.input.items()), dict(snakemake.params.items())
    setup = set_up(files, params, {"network": snakemake.wildcards.network, "seed": params["seed"]})
    settings, kind = training_settings(params["settings"]), params["settings"]["penalty"]
    proposal = propose(setup, settings, kind, params["plan"], params["margin"])
    write_csv(snakemake.output.trials, proposal.trials)
    print(f"Proposed lambdas for {proposal.line}")
    write_text(snakemake.output.snippet, proposal.snippet)
