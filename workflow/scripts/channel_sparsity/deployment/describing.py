"""All that a model's card says, as its JSON holds it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.deployment.card import NOTABLE_LOSS
from channel_sparsity.deployment.checking import SIGNALS, TOLERANCE_LOG_PROBABILITY, TOLERANCE_PROBABILITY
from channel_sparsity.deployment.frontend import TOLERANCE_DB
from channel_sparsity.deployment.model import Model
from channel_sparsity.files import read_json, sha256
from channel_sparsity.networks import count_gammas
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import Cost, cost


def card_of(name: str, model: Model, network: Network, told: Mapping, files: Mapping, written: Mapping) -> dict:
    """The card of the model `name`, made from `network`, whose forms are `written`, a path each.

    `told`: the parameters of the rule that makes it, which say where the model comes from. `files`: its inputs, of
    which ``metrics`` and ``manifest`` are read.
    """
    metrics, manifest = read_json(files["metrics"]), read_json(files["manifest"])
    data, chosen, logmel = told["data"], told["cell"], logmel_of(told["data"]["features"])
    accuracy = model.accuracy
    loss = accuracy["float32"]["accuracy"] - accuracy["int8"]["accuracy"]
    warnings = [told["note"]] if told["note"] else []
    if loss > NOTABLE_LOSS:
        warnings.append(f"Quantisation to int8 costs {100 * loss:.1f} points of accuracy: prefer the float32 file.")
    return {
        "model": name,
        "chosen_because": chosen["sentence"],
        "warnings": warnings,
        "data": {
            **{key: data[key] for key in ("dataset", "source", "licence", "devices", "features")},
            "scenes": list(accuracy["float32"]["accuracy_per_scene"]),
            "sample_rate_hz": logmel.sample_rate_hz,
            "duration_s": logmel.duration_s,
            "samples": logmel.samples,
            "clips_train": metrics["clips_train"],
            "clips_validation": metrics["clips_validation"],
            "features_sha256": manifest["features_sha256"],
        },
        "made": {
            "study": told["study"],
            "network": chosen["network"],
            "network_label": told["label"],
            **told["shape"],
            "channels_unpruned": metrics["channels"],
            "recipe": chosen["recipe"],
            "recipe_settings": told["recipe"],
            "training_settings": told["settings"],
            "lam": chosen["lam"],
            "seed": int(chosen["seed"]),
            "step": int(chosen["step"]),
            "trained_weights_sha256": metrics["weights_sha256"],
            "weights": Path(files["network"]).name,
            "calibration_clips": model.calibration_clips,
            "code": told["stages"],
            "versions": {each.__name__: each.__version__.split("+")[0] for each in (torch, onnx)},
        },
        "size": _size(model, network, logmel.duration_s, cost(network, logmel.n_mels, logmel.frames), told["budget"]),
        "accuracy": accuracy | {"pytorch": accuracy["pytorch"]["accuracy"]},
        "caution": "These clips also chose lambda, step and model, so accuracy is optimistic: expect less elsewhere.",
        # What it was checked on and how well it had to do. How well it did depends on the processor in its last bits.
        "checks": {
            "validation_clips": int(np.sum(accuracy["float32"]["confusion"])),
            "log_probability_tolerance": TOLERANCE_LOG_PROBABILITY,
            "signals": SIGNALS,
            "feature_tolerance_db": TOLERANCE_DB,
            "probability_tolerance": TOLERANCE_PROBABILITY,
        },
        "files": {
            form: {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
            for form in model.files
            for path in [Path(written[form])]
        },
        "timing": "timing.csv",
        "intended_use": "Research on small acoustic scene classifiers, on recordings like those it was trained on. "
        "It answers with one of its scenes whatever it hears, and has not been tried on other devices, places or "
        "sounds; do not let it decide anything about people.",
    }


def _size(model: Model, network: Network, duration_s: float, costs: Cost, budget: Mapping) -> dict:
    """What the network costs, beside the budget: ``parameter_bytes``, one a parameter, and ``macs_per_second``."""
    macs_per_second = costs.macs / duration_s
    fits = costs.parameters <= budget["parameter_bytes"] and macs_per_second <= budget["macs_per_second"]
    return {
        "channels": count_gammas(network),
        "parameters": costs.parameters,
        "int8_bytes": costs.parameters,
        "int8_constants_bytes": model.int8_constants_bytes,
        "macs": costs.macs,
        "macs_per_second": macs_per_second,
        "budget_bytes": budget["parameter_bytes"],
        "budget_macs_per_second": budget["macs_per_second"],
        "within_budget": fits,
    }
