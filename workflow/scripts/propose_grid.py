"""Propose a grid of lambdas for one network on the study's data set, from a few short trainings."""

import json
import logging
from dataclasses import asdict, replace

import pandas
import torch

from channel_sparsity.files import StudyError, write_csv, write_text
from channel_sparsity.measuring.sparsity import weight_skewness
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.training.device import device_of
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import Diverged, accuracy, fit, predict, seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.proposal import Goal, Trial, explore, levels_of, written
from channel_sparsity.training.recipe import recipe_of
from job import job

with job(snakemake):
    settings, plan = snakemake.params.settings, snakemake.params.plan
    torch.set_num_threads(settings["threads"])
    device = device_of(snakemake.params.device)
    name, seed = snakemake.wildcards.network, snakemake.params.seed
    train, validation, scenes = load_subsets(
        snakemake.input.store, snakemake.input.split, snakemake.input.normalisation, device
    )
    full = recipe_of(settings)
    short = replace(full, epochs=plan["epochs"], warmup_epochs=min(full.warmup_epochs, plan["epochs"] - 1))
    full_sum, short_sum = full.sum_of_rates(len(train)), short.sum_of_rates(len(train))

    def short_training(shrinkage: float) -> Trial:
        """WS and accuracy of a network that was trained briefly to this shrinkage; initialised as the study's are."""
        with seeded(seed, name, "initialisation"):
            network = build(name, len(scenes), snakemake.params.width_scale)
        network = network.to(device, memory_format=torch.channels_last)
        penalty = Penalty(settings["penalty"], shrinkage / short_sum).options(network, *train.logmel.shape[1:])
        try:
            list(fit(network, train, short, seed=seed, purpose=(name, "proposal"), **penalty))
        except Diverged as error:
            logging.warning("shrinkage %.3g: %s", shrinkage, error)
            return Trial(shrinkage, None, None)
        gammas = torch.cat([gamma.detach() for gamma in gammas_of(network).values()])
        trial = Trial(
            shrinkage, weight_skewness(gammas.cpu().numpy()), accuracy(predict(network, validation), validation)
        )
        logging.info("%s", trial)
        return trial

    goal = Goal(plan["ws"], snakemake.params.margin, len(validation))
    trials, reason = explore(short_training, goal)
    usable = [trial for trial in trials if not goal.too_far(trial, trials)]
    if len(usable) < 2:
        raise StudyError(
            f"no grid can be proposed for {name}: {reason} (see {snakemake.log[0]}): raise `proposal.epochs`"
        )
    # Where so few clips make the rates' sum tiny, several may be written as the largest lambda there is.
    lambdas = list(dict.fromkeys(written(s / full_sum) for s in levels_of(trials, goal, plan["levels"])))

    rows = [
        asdict(trial)
        | {
            "lambda_here": trial.shrinkage / short_sum,
            "lambda_in_study": trial.shrinkage / full_sum,
            "within": not goal.too_far(trial, trials),
        }
        for trial in trials
    ]
    write_csv(snakemake.output.trials, pandas.DataFrame(rows))
    line = f"{name}: {json.dumps(lambdas)}"
    print(f"Proposed lambdas for {line}")
    write_text(
        snakemake.output.snippet,
        f"# From {len(trials)} trainings of {short.epochs} epochs (the study's have {full.epochs}) with seed {seed}.\n"
        f"# The ladder ended: {reason}.\n"
        f"# WS went from {usable[0].ws:.2f} to {usable[-1].ws:.2f}; shrinkage = {full_sum:.4g} x lambda in the study.\n"
        f"lambdas:\n  {line}\n",
    )
