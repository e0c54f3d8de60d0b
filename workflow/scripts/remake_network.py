"""Make the network of one step of a pruning curve again, and see that it answers as the curve's did."""

import json
import logging
from pathlib import Path

import h5py
import pandas
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from channel_sparsity.files import StudyError, whole
from channel_sparsity.networks import build, widths_of
from channel_sparsity.pruning.curve import planned
from channel_sparsity.pruning.methods import method_of
from channel_sparsity.pruning.padding import padded
from channel_sparsity.pruning.replay import replay
from channel_sparsity.training.device import device_of
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import predict
from job import job


def answers_as_recorded(network, validation, predictions, step):
    """Whether a network gives every validation clip the class and probability that the curve's step gave it."""
    best = predict(padded(network), validation).cpu().max(dim=1)
    with h5py.File(predictions, "r", locking=False) as file:
        scene, log_probability = (torch.from_numpy(file[key][step]) for key in ("scene", "log_probability"))
    # Another processor may round otherwise; a network that was trained otherwise is much further off.
    same = torch.allclose(best.values, log_probability, atol=1e-4, rtol=0)
    return same and torch.equal(best.indices, scene.to(best.indices.dtype))


with job(snakemake):
    files, cell, plan = snakemake.input, snakemake.params.cell, snakemake.params.recipe
    torch.set_num_threads(snakemake.params.settings["threads"])
    device = device_of(snakemake.params.device)
    name, step, scale = cell["network"], int(cell["step"]), snakemake.params.width_scale
    train, validation, scenes = load_subsets(files.store, files.split, files.normalisation, device)
    network = None

    kept = Path(files.curve).with_name("steps") / f"{step:02}.safetensors"
    if kept.exists():
        widths = pandas.read_csv(files.widths).query("step == @step").set_index("layer")["channels"].to_dict()
        network = build(name, len(scenes), scale, widths).to(device)
        try:
            network.load_state_dict(load_file(kept))
        except (OSError, RuntimeError, SafetensorError):
            network = None
        if network is not None and not answers_as_recorded(network, validation, files.predictions, step):
            network = None
        logging.info("%s %s", kept, "serves" if network is not None else "is of another curve")

    if network is None:
        trained = build(name, len(scenes), scale)
        try:
            trained.load_state_dict(load_file(files.weights))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise StudyError(f"{files.weights} cannot be loaded ({error}): delete it and run again") from error
        schedule, finetuning = planned(plan, snakemake.params.settings, float(cell["lam"]))
        network = replay(
            trained.to(device, memory_format=torch.channels_last),
            method_of(plan, name=name, seed=int(cell["seed"]), train=train),
            schedule,
            finetuning,
            train,
            step,
            seed=int(cell["seed"]),
            name=name,
        )
        if not answers_as_recorded(network, validation, files.predictions, step):
            raise StudyError(
                f"step {step} made again does not answer as {files.predictions} says, so this machine computes other "
                f"bits than that which traced the curve: run where it ran, or delete {files.curve} and run again"
            )

    # One entry: the order of several would differ from run to run.
    facts = {"network": json.dumps({"name": name, "width_scale": scale, "widths": widths_of(network)})}
    with whole(snakemake.output[0]) as path:
        save_file({key: value.cpu().contiguous() for key, value in network.state_dict().items()}, path, facts)
