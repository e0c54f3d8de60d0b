"""How good a model is: its answers for clips whose scenes are known, counted, and beside PyTorch's."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnx

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.frontend import TOLERANCE_DB, frontend
from channel_sparsity.deployment.running import outputs

#: How many waveforms a model is checked on.
SIGNALS = 16

#: How far onnxruntime's answers may be from PyTorch's: a log-probability on the study's features, and a probability
#: from the waveform on.
TOLERANCE_LOG_PROBABILITY, TOLERANCE_PROBABILITY = 1e-3, 1e-3


def accuracies(log_probabilities: np.ndarray, labels: np.ndarray, scenes: Sequence[str]) -> dict:
    """Accuracy, over all clips and by scene, and the confusion matrix, a row each true scene.

    `log_probabilities` [clips, classes], or anything that rises with them; `labels` [clips], all scenes among them.
    """
    answers = log_probabilities.argmax(axis=1)
    confusion = np.zeros((len(scenes), len(scenes)), int)
    np.add.at(confusion, (labels, answers), 1)
    shares = confusion.diagonal() / confusion.sum(axis=1)
    return {
        "accuracy": float((answers == labels).mean()),
        "accuracy_per_scene": dict(zip(scenes, shares.tolist(), strict=True)),
        "confusion": confusion.tolist(),
    }


def evenly(count: int, wanted: int) -> np.ndarray:
    """`wanted` of `count` places, evenly spread; all if there are fewer."""
    return np.linspace(0, count - 1, min(count, wanted)).round().astype(int)


def signals(logmel: LogMel) -> Iterator[np.ndarray]:
    """`SIGNALS` waveforms [samples] that are the same everywhere: noise ever softer, every second one fading, silence.

    They go from full scale to 70 dB below it, and fade by 100 dB, so that all of a clip's dynamic range is met.
    """
    draw, fade = np.random.default_rng(1), np.geomspace(1, 1e-5, logmel.samples)
    for number in range(SIGNALS - 1):
        noise = 10 ** (-number / 4) * draw.uniform(-1, 1, logmel.samples)
        yield (noise * fade if number % 2 else noise).astype(np.float32)
    yield np.zeros(logmel.samples, np.float32)


def check_on_signals(
    model: onnx.ModelProto, logmel: LogMel, predict: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """How far a float32 `model`, from the waveform on, is off the study on `signals`: features, probabilities.

    Features [bands, frames] in dB are held against those of `logmel`; what the model answers against `predict`, which
    gives PyTorch's probabilities [classes] for features. RuntimeError if either is off by more than `TOLERANCE_DB` or
    `TOLERANCE_PROBABILITY`.
    """
    waveforms = list(signals(logmel))
    features = np.stack([logmel(waveform) for waveform in waveforms])
    batches = [waveform[None] for waveform in waveforms]
    # With nothing to normalise by, the front end gives plain decibels.
    decibels = outputs(frontend(logmel, np.zeros(logmel.n_mels), np.ones(logmel.n_mels)), batches)[:, 0]
    answers = np.stack([predict(each) for each in features])
    off = float(np.abs(decibels - features).max()), float(np.abs(outputs(model, batches) - answers).max())
    if off[0] > TOLERANCE_DB or off[1] > TOLERANCE_PROBABILITY:
        raise RuntimeError(
            f"on test signals the model is up to {off[0]:.3g} dB and {off[1]:.3g} of probability off the study's own "
            "features and answers"
        )
    return off
