"""Trace the pruning curve of one trained network by one recipe."""

import logging
from pathlib import Path

import h5py
import numpy
import pandas
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from channel_sparsity.files import StudyError, read_json, whole, write_csv, write_json
from channel_sparsity.networks import build
from channel_sparsity.pruning.curve import Finetuning, Schedule, Step, finetune, trace, widths_rows
from channel_sparsity.pruning.methods import method_of
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import Diverged, accuracy, finetuning_recipe, predict
from channel_sparsity.training.penalty import Penalty
from job import job, progress


def write_predictions(path, log_probabilities, validation, scenes):
    """The class [steps, clips] and its log-probability of every validation clip at every step; see the attributes."""
    best = torch.stack(log_probabilities).max(dim=2)
    with whole(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        file.create_dataset("scene", data=best.indices.numpy().astype(numpy.uint16))
        file.create_dataset("log_probability", data=best.values.numpy())
        file.create_dataset("label", data=validation.labels.numpy().astype(numpy.uint16))
        file.create_dataset("row", data=validation.rows.numpy())
        file.attrs["scenes"] = scenes
        file.attrs["about"] = (
            "scene and log_probability [steps, clips], label and row (in logmel.h5 and split.csv) [clips]"
        )


with job(snakemake):
    torch.set_num_threads(snakemake.params.settings["threads"])
    name, seed = snakemake.wildcards.network, int(snakemake.wildcards.seed)
    metrics = read_json(snakemake.input.metrics)
    lam = float(snakemake.wildcards.lam)
    plan = snakemake.params.recipe
    finetuning = Finetuning(
        finetuning_recipe(snakemake.params.settings, plan["finetuning"]),
        Penalty(plan["finetuning"]["penalty"], lam),
        plan["finetuning"]["rescaling"],
    )
    schedule = Schedule(plan["step"], plan["step_of"], plan["highest_rate"], plan["finetuning"]["when"])
    train, validation, scenes = load_subsets(
        snakemake.input.store, snakemake.input.split, snakemake.input.normalisation
    )
    network = build(name, len(scenes), snakemake.params.width_scale)
    try:
        network.load_state_dict(load_file(snakemake.input.weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise StudyError(f"{snakemake.input.weights} cannot be loaded ({error}): delete it and run again") from error
    network = network.to(memory_format=torch.channels_last)

    bands, frames = train.logmel.shape[1:]
    method = method_of(plan, name=name, seed=seed, bands=bands, frames=frames)
    # Of each step only what is written: networks and their gradients do not pile up.
    rows, widths, log_probabilities, seconds = [], [], [], []
    planned = len(schedule.counts(metrics["channels"]))
    with progress(f"{name}, lambda {lam:g}, {snakemake.wildcards.recipe}", planned, "step") as report:
        for step in trace(network, method, schedule, finetuning, train, validation, seed=seed, name=name):
            rows.append({column: getattr(step, column) for column in Step.COLUMNS})
            widths.extend(widths_rows(step))
            log_probabilities.append(step.log_probabilities)
            seconds.append({"step": step.step, "seconds": step.seconds})
            report(step.step)
            if plan["keep_steps"]:
                weights = {key: value.contiguous() for key, value in step.network.state_dict().items()}
                with whole(Path(snakemake.output.curve).with_name("steps") / f"{step.step:02}.safetensors") as path:
                    save_file(weights, path)
            if metrics["status"] != "trained":
                logging.warning("the curve ends at step 0: %s", metrics["reason"])
                break

    control = None
    if metrics["status"] == "trained" and schedule.finetuning != "none":
        try:
            tuned = finetune(network, finetuning, train, seed=seed, purpose=(name, "finetuning", 0))
            control = accuracy(predict(tuned, validation), validation)
        except Diverged as error:
            logging.warning("fine-tuning of the unpruned network diverged: %s", error)
    write_csv(snakemake.output.curve, pandas.DataFrame(rows, columns=Step.COLUMNS))
    write_csv(snakemake.output.widths, pandas.DataFrame(widths, columns=["step", "layer", "channels"]))
    write_predictions(snakemake.output.predictions, log_probabilities, validation, scenes)
    write_json(snakemake.output.control, {"accuracy_unpruned_finetuned": control})
    write_csv(snakemake.output.timing, pandas.DataFrame(seconds, columns=["step", "seconds"]))
