"""Write a chosen network as ONNX, in float32 and int8, measure both, and say in a card what they are."""

import json
import logging
from pathlib import Path

import numpy as np
import onnx
import pandas
import torch
from safetensors import safe_open

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.deployment.card import NOTABLE_LOSS, markdown
from channel_sparsity.deployment.checking import check_on_recordings, evenly, log_softmax, measured
from channel_sparsity.deployment.export import exported, whole_model
from channel_sparsity.deployment.quantisation import bytes_of_constants, quantised
from channel_sparsity.deployment.running import outputs
from channel_sparsity.files import read_json, sha256, write_bytes, write_json, write_text
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.features import load_subsets
from channel_sparsity.training.fit import predict
from job import job

#: Training clips by which the ranges of int8 values are set, and validation recordings by which files are checked.
CALIBRATION_CLIPS, CHECKED_CLIPS = 128, 64

#: How far onnxruntime's log-probabilities may be from PyTorch's.
TOLERANCE = 1e-3


def load_network(path, scenes):
    """The network that remake_network wrote."""
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["network"])
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network = build(facts["name"], len(scenes), facts["width_scale"], facts["widths"])
    network.load_state_dict(state)
    return network.eval()


def batches(subset, which=None):
    """Normalised features of the clips `which` of a subset (all unless given), a few at a time."""
    which = torch.arange(len(subset)) if which is None else torch.from_numpy(which)
    return (subset.batch(few)[0].numpy() for few in which.split(16))


with job(snakemake):
    torch.set_num_threads(1)
    files, params, chosen = snakemake.input, snakemake.params, snakemake.params.cell
    out = {name: Path(path) for name, path in snakemake.output.items()}
    train, validation, scenes = load_subsets(files.store, files.split, files.normalisation)
    bands, frames = train.logmel.shape[1:]
    network, bands_of = load_network(files.network, scenes), read_json(files.normalisation)
    logmel = logmel_of(params.data["features"])

    reference = predict(network, validation).numpy()
    labels = validation.labels.numpy()
    calibration = list(batches(train, evenly(len(train), CALIBRATION_CLIPS)))
    parts = {"float32": exported(network, bands, frames)}
    parts["int8"] = quantised(parts["float32"], calibration)
    answers = {form: log_softmax(outputs(part, batches(validation))) for form, part in parts.items()}
    off = float(np.abs(answers["float32"] - reference).max())
    if off > TOLERANCE:
        raise RuntimeError(f"onnxruntime's log-probabilities are up to {off:.3g} off PyTorch's")

    wholes = {
        form: whole_model(
            part,
            logmel,
            bands_of["mean_db"],
            bands_of["standard_deviation_db"],
            {
                "scenes": scenes,
                "sample_rate_hz": logmel.sample_rate_hz,
                "samples": logmel.samples,
                "model": snakemake.wildcards.model,
                "form": form,
                "study": params.study,
                "licence": params.data["licence"],
            },
        )
        for form, part in parts.items()
    }
    for form, whole in wholes.items():
        write_bytes(out[form], whole.SerializeToString(deterministic=True))

    names = pandas.read_csv(files.split, dtype=str)["filename"].iloc[validation.rows.numpy()]
    source = source_of(params.block, params.data["dataset"])
    there = [place for place in evenly(len(names), CHECKED_CLIPS) if source.path_of(names.iloc[place]).is_file()]
    accuracy = {form: measured(each, labels, scenes) for form, each in answers.items()}
    loss = accuracy["float32"]["accuracy"] - accuracy["int8"]["accuracy"]
    costs, budget = cost(network, bands, frames), params.budget
    metrics, manifest = read_json(files.metrics), read_json(files.manifest)
    warnings = [params.note] if params.note else []
    if loss > NOTABLE_LOSS:
        warnings.append(f"Quantisation to int8 costs {100 * loss:.1f} points of accuracy: prefer the float32 file.")
    card = {
        "model": snakemake.wildcards.model,
        "chosen_because": chosen["sentence"],
        "warnings": warnings,
        "data": {
            **{key: params.data[key] for key in ("dataset", "source", "licence", "devices", "features")},
            "scenes": scenes,
            "sample_rate_hz": logmel.sample_rate_hz,
            "duration_s": logmel.duration_s,
            "samples": logmel.samples,
            "clips_train": len(train),
            "clips_validation": len(validation),
            "features_sha256": manifest["features_sha256"],
        },
        "made": {
            "study": params.study,
            "network": chosen["network"],
            "network_label": params.label,
            "width_scale": metrics["width_scale"],
            "channels_unpruned": metrics["channels"],
            "recipe": chosen["recipe"],
            "recipe_settings": params.recipe,
            "training_settings": params.settings,
            "lam": chosen["lam"],
            "seed": int(chosen["seed"]),
            "step": int(chosen["step"]),
            "trained_weights_sha256": metrics["weights_sha256"],
            "weights": Path(files.network).name,
            "calibration_clips": sum(map(len, calibration)),
            "code": params.stages,
            "versions": {each.__name__: each.__version__.split("+")[0] for each in (torch, onnx)},
        },
        "size": {
            "channels": sum(len(gamma) for gamma in gammas_of(network).values()),
            "parameters": costs.parameters,
            "int8_bytes": costs.parameters,
            "int8_constants_bytes": bytes_of_constants(parts["int8"]),
            "macs": costs.macs,
            "macs_per_second": costs.macs / logmel.duration_s,
            "budget_bytes": budget["parameter_bytes"],
            "budget_macs_per_second": budget["macs_per_second"],
            "within_budget": costs.parameters <= budget["parameter_bytes"]
            and costs.macs / logmel.duration_s <= budget["macs_per_second"],
        },
        "accuracy": {"pytorch": measured(reference, labels, scenes)["accuracy"], **accuracy},
        "caution": "These clips also chose lambda, step and model, so accuracy is optimistic: expect less elsewhere.",
        "checks": {
            "network_log_probability_difference": off,
            "recordings": check_on_recordings(
                [out["float32"], out["int8"]],
                list(names.iloc[there]),
                validation.logmel[validation.rows[there]].numpy(),
                reference[there],
                labels[there],
                logmel,
                source.read,
            ),
        },
        "files": {
            form: {"name": out[form].name, "bytes": out[form].stat().st_size, "sha256": sha256(out[form])}
            for form in wholes
        },
        "timing": "timing.csv",
        "intended_use": "Research on small acoustic scene classifiers, on recordings like those it was trained on. "
        "It answers with one of its scenes whatever it hears, and has not been tried on other devices, places or "
        "sounds; do not let it decide anything about people.",
    }
    write_json(out["card"], card)
    write_text(out["page"], markdown(card))
    logging.info(
        "accuracy: PyTorch %.1f %%, float32 %.1f %%, int8 %.1f %%",
        100 * card["accuracy"]["pytorch"],
        *(100 * accuracy[form]["accuracy"] for form in ("float32", "int8")),
    )
