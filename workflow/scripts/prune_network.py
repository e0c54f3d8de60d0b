"""Trace the pruning curve of one trained network by one recipe."""

import logging
from pathlib import Path

import h5py
import numpy
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from channel_sparsity.bookkeeping.holding import held
from channel_sparsity.files import StudyError, read_json, whole, write_csv, write_json
from channel_sparsity.networks import build
from channel_sparsity.pruning.curve import finetune, planned, trace
from channel_sparsity.pruning.methods import method_of
from channel_sparsity.pruning.traced import Traced
from channel_sparsity.training.device import device_of
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import Failure, accuracy, predict
from channel_sparsity.training.state import State, identity
from job import job, progress


def write_predictions(path, log_probabilities, validation, scenes):
    """The class [steps, clips] and its log-probability of every validation clip at every step; see the attributes."""
    best = torch.stack(log_probabilities).max(dim=2)
    with whole(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        file.create_dataset("scene", data=best.indices.numpy().astype(numpy.uint16))
        file.create_dataset("log_probability", data=best.values.numpy())
        file.create_dataset("label", data=validation.labels.cpu().numpy().astype(numpy.uint16))
        file.create_dataset("row", data=validation.rows.cpu().numpy())
        file.attrs["scenes"] = scenes
        file.attrs["about"] = (
            "scene and log_probability [steps, clips], label and row (in logmel.h5 and split.csv) [clips]"
        )


STATE = Path(snakemake.output.curve).with_name("state")

with job(snakemake), held(STATE) as check_hold:
    files, params = snakemake.input, snakemake.params
    torch.set_num_threads(params.settings["threads"])
    device = device_of(params.device)
    recipe_name, name = snakemake.wildcards.recipe, snakemake.wildcards.network
    lam, seed = snakemake.wildcards.lam, int(snakemake.wildcards.seed)
    metrics = read_json(files.metrics)
    plan = params.recipe
    schedule, finetuning = planned(plan, params.settings, float(lam))
    state = State(
        STATE,
        identity(
            device,
            {
                "code": params.code,
                "settings": params.settings,
                "recipe": plan,
                "width scale": params.width_scale,
                "cell": [recipe_name, name, lam, seed],
            },
            {
                "trained network": files.metrics,
                "data set": files.manifest,
                "split": files.split,
                "normalisation": files.normalisation,
            },
        ),
        params.state_seconds,
    )
    train, validation, scenes = load_subsets(files.store, files.split, files.normalisation, device)
    network = build(name, len(scenes), params.width_scale)
    try:
        network.load_state_dict(load_file(files.weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise StudyError(f"{files.weights} cannot be loaded ({error}): delete it and run again") from error
    network = network.to(device, memory_format=torch.channels_last)

    method = method_of(plan, name=name, seed=seed, train=train)
    traced, reached = Traced.of(state, network)
    steps = trace(
        network, method, schedule, finetuning, train, validation, seed=seed, name=name, state=state, reached=reached
    )
    steps_planned = len(schedule.counts(metrics["channels"]))
    status, reason, control = "traced", None, None
    try:
        with progress(f"{name}, lambda {lam}, {recipe_name}", steps_planned, "step") as report:
            for step in steps:
                traced.add(step)
                report(step.step)
                if plan["keep_steps"]:
                    weights = {key: value.contiguous() for key, value in step.network.state_dict().items()}
                    with whole(STATE.with_name("steps") / f"{step.step:02}.safetensors") as path:
                        save_file(weights, path)
                if metrics["status"] != "trained":
                    status, reason = metrics["status"], f"training {metrics['status']}: {metrics['reason']}"
                    break
                traced.keep(state, step)
    except Failure as error:
        status, reason = error.status, str(error)
    if reason:
        logging.warning("the curve ends: %s", reason)
    if metrics["status"] == "trained" and finetuning.changes:
        try:
            tuned = finetune(network, finetuning, train, seed=seed, purpose=(name, "finetuning", 0), state=state)
            control = accuracy(predict(tuned, validation), validation)
        except Failure as error:
            logging.warning("the unpruned network could not be fine-tuned: %s", error)

    check_hold()
    for output, table in traced.tables().items():
        write_csv(snakemake.output[output], table)
    write_predictions(snakemake.output.predictions, traced.log_probabilities, validation, scenes)
    write_json(snakemake.output.control, {"status": status, "reason": reason, "accuracy_unpruned_finetuned": control})
    state.remove()
