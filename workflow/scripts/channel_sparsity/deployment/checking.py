"""How good a model is: its answers for clips whose scenes are known, counted, and beside PyTorch's."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from channel_sparsity.data.audio import Clip, read_clip
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.frontend import TOLERANCE_DB, frontend
from channel_sparsity.deployment.running import outputs
from channel_sparsity.files import StudyError

#: Smaller probabilities are taken for this where logarithms are compared.
LEAST_PROBABILITY = 1e-6


def measured(log_probabilities: np.ndarray, labels: np.ndarray, scenes: Sequence[str]) -> dict:
    """Accuracy, over all clips and by scene (None without a clip), and the confusion matrix, a row each true scene.

    `log_probabilities` [clips, classes], or anything that rises with them; `labels` [clips].
    """
    answers = log_probabilities.argmax(axis=1)
    confusion = np.zeros((len(scenes), len(scenes)), int)
    np.add.at(confusion, (labels, answers), 1)
    clips = confusion.sum(axis=1)
    return {
        "accuracy": float((answers == labels).mean()),
        "accuracy_per_scene": {
            scene: float(confusion[place, place] / clips[place]) if clips[place] else None
            for place, scene in enumerate(scenes)
        },
        "confusion": confusion.tolist(),
    }


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities [clips, classes] of logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def evenly(count: int, wanted: int) -> np.ndarray:
    """`wanted` of `count` places, evenly spread; all if there are fewer."""
    return np.linspace(0, count - 1, min(count, wanted)).round().astype(int)


def check_on_recordings(
    files: Sequence[Path],
    paths: Sequence[str | Path],
    features: np.ndarray,
    log_probabilities: np.ndarray,
    labels: np.ndarray,
    logmel: LogMel,
    read: Callable[[str | Path, LogMel], Clip] = read_clip,
) -> dict:
    """What the model `files` (float32, int8) answer for recordings, beside the study's features and PyTorch.

    `features` [recordings, bands, frames] in dB as the study computed them, `log_probabilities` [recordings, classes]
    PyTorch's answers to those, `labels` the true scenes; `read` reads a clip by its path. StudyError if the front end's
    features are further off than `TOLERANCE_DB`.
    """
    if not paths:
        return {"clips": 0}
    waveforms = [read(path, logmel).waveform[None] for path in paths]
    # With nothing to normalise by, the front end gives plain decibels.
    decibels = outputs(frontend(logmel, np.zeros(logmel.n_mels), np.ones(logmel.n_mels)), waveforms)[:, 0]
    off = np.abs(decibels - features).max(axis=(1, 2))
    if off.max() > TOLERANCE_DB:
        raise StudyError(
            f"the features of {paths[off.argmax()]} are {off.max():.3g} dB off the study's: if the recording has "
            "changed since, put the old one back, or delete the data set's folder and run again"
        )
    pytorch = np.exp(log_probabilities)
    found = {
        "clips": len(paths),
        "feature_difference_db": float(off.max()),
        "feature_tolerance_db": TOLERANCE_DB,
        "accuracy_pytorch": float((pytorch.argmax(axis=1) == labels).mean()),
    }
    for form, file in zip(("float32", "int8"), files, strict=True):
        answers = outputs(file, waveforms)
        found[form] = {
            "accuracy": float((answers.argmax(axis=1) == labels).mean()),
            "same_scene_as_pytorch": int((answers.argmax(axis=1) == pytorch.argmax(axis=1)).sum()),
            "log_probability_difference": _largest_difference(answers, pytorch),
        }
    return found


def _largest_difference(probabilities: np.ndarray, others: np.ndarray) -> float:
    """The largest difference of log-probabilities, all below `LEAST_PROBABILITY` being alike."""
    first, second = (np.log(np.maximum(each, LEAST_PROBABILITY)) for each in (probabilities, others))
    return float(np.abs(first - second).max())
