"""A pruned network as a model to take away: its two forms, checked and measured."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from scipy.special import log_softmax

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.checking import (
    TOLERANCE_LOG_PROBABILITY,
    accuracies,
    check_on_signals,
    evenly,
)
from channel_sparsity.deployment.export import exported, whole_model
from channel_sparsity.deployment.quantisation import bytes_of_constants, quantised
from channel_sparsity.deployment.running import outputs
from channel_sparsity.networks.channels import Network
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import predict

log = logging.getLogger(__name__)

#: Training clips by which the ranges of int8 values are set.
CALIBRATION_CLIPS = 128

#: The mean and the deviation of each band in ``normalisation.json``.
NORMALISED_BY = ("mean_db", "standard_deviation_db")


@dataclass(frozen=True)
class Model:
    """A network in ``float32`` and ``int8``.

    `files`: each form behind the front end, from waveforms to probabilities. `accuracy`: what `checking.accuracies`
    gives for each form, and for PyTorch, on the validation clips. `int8_constants_bytes`: of weights, scales, biases.
    """

    files: Mapping[str, onnx.ModelProto]
    accuracy: Mapping[str, Mapping]
    calibration_clips: int
    int8_constants_bytes: int


def make_model(
    network: Network, train: Subset, validation: Subset, logmel: LogMel, bands: Mapping, facts: Mapping[str, object]
) -> Model:
    """Both forms of a network, which must answer as PyTorch does.

    `bands`: what ``normalisation.json`` holds, by which features are normalised. `facts`: what the files say of
    themselves, ``scenes`` among it. RuntimeError if the float32 form is further from PyTorch than the tolerances of
    `checking`, on the features of the validation clips or on test signals from the waveform on.
    """
    reference, labels = predict(network, validation).numpy(), validation.labels.numpy()
    calibration = list(_batches(train, evenly(len(train), CALIBRATION_CLIPS)))
    parts = {"float32": exported(network, *train.logmel.shape[1:])}
    parts["int8"] = quantised(parts["float32"], calibration)
    answers = {form: log_softmax(outputs(part, _batches(validation)), axis=1) for form, part in parts.items()}
    off = float(np.abs(answers["float32"] - reference).max())
    if off > TOLERANCE_LOG_PROBABILITY:
        raise RuntimeError(f"onnxruntime's log-probabilities are up to {off:.3g} off PyTorch's")
    files = {
        form: whole_model(part, logmel, *map(bands.get, NORMALISED_BY), {**facts, "form": form})
        for form, part in parts.items()
    }

    def probabilities(decibels: np.ndarray) -> np.ndarray:
        clip = Subset.of(decibels[None], np.zeros(1, int), np.zeros(1, int), *map(bands.get, NORMALISED_BY))
        return predict(network, clip).exp().numpy()[0]

    off_db, off_probability = check_on_signals(files["float32"], logmel, probabilities)
    log.info("off PyTorch by up to %.2g, a log-probability on the validation clips' features", off)
    log.info("off by up to %.2g dB and %.2g, a probability, on test signals", off_db, off_probability)
    accuracy = {
        form: accuracies(each, labels, facts["scenes"]) for form, each in {"pytorch": reference, **answers}.items()
    }
    log.info("accuracy: %s", {form: round(each["accuracy"], 3) for form, each in accuracy.items()})
    return Model(files, accuracy, sum(map(len, calibration)), bytes_of_constants(parts["int8"]))


def _batches(subset: Subset, which: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Normalised features of the clips `which` of a subset (all unless given), a few at a time."""
    which = torch.arange(len(subset)) if which is None else torch.from_numpy(which)
    return (subset.batch(few)[0].numpy() for few in which.split(16))
