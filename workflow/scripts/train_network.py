"""Train one network at one lambda, and keep its weights, history, gammas and figures."""

import logging
import time
from dataclasses import asdict

import pandas
import torch
from safetensors.torch import save_file

from channel_sparsity.files import sha256, whole, write_csv, write_json
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import Diverged, accuracy, fit, per_scene, predict, recipe_of, seeded
from channel_sparsity.training.penalty import Penalty
from job import job, progress

with job(snakemake):
    torch.set_num_threads(snakemake.params.settings["threads"])
    started = time.perf_counter()
    name, lam, seed = snakemake.wildcards.network, snakemake.wildcards.lam, int(snakemake.wildcards.seed)
    recipe = recipe_of(snakemake.params.settings)
    train, validation, scenes = load_subsets(
        snakemake.input.store, snakemake.input.split, snakemake.input.normalisation
    )
    with seeded(seed, name, "initialisation"):
        network = build(name, len(scenes), snakemake.params.width_scale)
    network = network.to(memory_format=torch.channels_last)
    penalty = Penalty(snakemake.params.settings["penalty"], float(lam))

    status, reason = "trained", None
    history = []
    try:
        with progress(f"{name}, lambda {lam}", recipe.epochs, "epoch") as report:
            for epoch in fit(
                network,
                train,
                recipe,
                seed=seed,
                purpose=(name, "training"),
                validation=validation,
                **penalty.options(network, *train.logmel.shape[1:]),
            ):
                history.append(epoch)
                report(epoch.epoch)
                logging.info(
                    "epoch %d of %d, rate %.3g: loss %.4f, accuracy %.1f %%; validation loss %.4f, accuracy %.1f %%",
                    epoch.epoch,
                    recipe.epochs,
                    epoch.learning_rate,
                    epoch.loss_train,
                    100 * epoch.accuracy_train,
                    epoch.loss_validation,
                    100 * epoch.accuracy_validation,
                )
    except Diverged as error:
        status, reason = "diverged", str(error)
        logging.warning("%s", reason)

    log_probabilities = predict(network, validation)
    costs = cost(network, *train.logmel.shape[1:])
    gammas = [
        {"layer": layer, "channel": channel, "gamma": gamma}
        for layer, values in gammas_of(network).items()
        for channel, gamma in enumerate(values.tolist())
    ]
    with whole(snakemake.output.weights) as path:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, path)
    write_csv(snakemake.output.history, pandas.DataFrame([asdict(epoch) for epoch in history]))
    write_csv(snakemake.output.gammas, pandas.DataFrame(gammas))
    seconds = time.perf_counter() - started
    write_csv(snakemake.output.timing, pandas.DataFrame([{"stage": "training", "seconds": seconds}]))
    write_json(
        snakemake.output.metrics,
        {
            "network": name,
            "width_scale": snakemake.params.width_scale,
            "lam": lam,
            "seed": seed,
            "status": status,
            "reason": reason,
            "accuracy": accuracy(log_probabilities, validation) if status == "trained" else None,
            "accuracy_per_scene": per_scene(log_probabilities, validation, scenes),
            "clips_train": len(train),
            "clips_validation": len(validation),
            "parameters": costs.parameters,
            "macs": costs.macs,
            "channels": len(gammas),
            "shrinkage": float(lam) * recipe.sum_of_rates(len(train)),
            "weights_sha256": sha256(snakemake.output.weights),
        },
    )
