"""Train one network at one lambda, and keep its weights, history, gammas and figures."""

import logging
from dataclasses import asdict
from pathlib import Path

import pandas
import torch
from safetensors.torch import save_file

from channel_sparsity.bookkeeping.holding import held
from channel_sparsity.files import sha256, whole, write_csv, write_json
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.device import device_of, name_of
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import Failure, accuracy, fit, only_answer, per_scene, predict, seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.recipe import recipe_of
from channel_sparsity.training.state import State, identity
from job import job, progress

STATE = Path(snakemake.output.metrics).with_name("state")

with job(snakemake), held(STATE) as check_hold:
    files, params = snakemake.input, snakemake.params
    torch.set_num_threads(params.settings["threads"])
    device = device_of(params.device)
    name, lam, seed = snakemake.wildcards.network, snakemake.wildcards.lam, int(snakemake.wildcards.seed)
    recipe = recipe_of(params.settings)
    state = State(
        STATE,
        identity(
            device,
            {
                "code": params.code,
                "settings": params.settings,
                "width scale": params.width_scale,
                "cell": [name, lam, seed],
            },
            {"data set": files.manifest, "split": files.split, "normalisation": files.normalisation},
        ),
        params.state_seconds,
    )
    train, validation, scenes = load_subsets(files.store, files.split, files.normalisation, device)
    with seeded(seed, name, "initialisation"):
        network = build(name, len(scenes), params.width_scale)
    network = network.to(device, memory_format=torch.channels_last)
    penalty = Penalty(params.settings["penalty"], float(lam))

    status, reason = "trained", None
    right, right_per_scene = None, dict.fromkeys(scenes)
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
                state=state,
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
        log_probabilities = predict(network, validation)
        right = accuracy(log_probabilities, validation)
        right_per_scene = per_scene(log_probabilities, validation, scenes)
        if (scene := only_answer(log_probabilities, scenes)) is not None:
            status, reason = "collapsed", f"every validation clip is taken for {scene}"
    except Failure as error:
        status, reason = error.status, str(error)
    if reason:
        logging.warning("%s", reason)

    costs = cost(network, *train.logmel.shape[1:])
    gammas = [
        {"layer": layer, "channel": channel, "gamma": gamma}
        for layer, values in gammas_of(network).items()
        for channel, gamma in enumerate(values.tolist())
    ]
    check_hold()
    with whole(snakemake.output.weights) as path:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, path)
    write_csv(snakemake.output.history, pandas.DataFrame([asdict(epoch) for epoch in history]))
    write_csv(snakemake.output.gammas, pandas.DataFrame(gammas))
    timing = {"stage": "training", "seconds": state.seconds(), "resumed": state.resumed}
    write_csv(snakemake.output.timing, pandas.DataFrame([timing]))
    write_json(
        snakemake.output.metrics,
        {
            "network": name,
            "width_scale": params.width_scale,
            "lam": lam,
            "seed": seed,
            "status": status,
            "reason": reason,
            "accuracy": right,
            "accuracy_per_scene": right_per_scene,
            "clips_train": len(train),
            "clips_validation": len(validation),
            "parameters": costs.parameters,
            "macs": costs.macs,
            "channels": len(gammas),
            "shrinkage": float(lam) * recipe.sum_of_rates(len(train)),
            "device": name_of(device),
            "weights_sha256": sha256(snakemake.output.weights),
        },
    )
    state.remove()
