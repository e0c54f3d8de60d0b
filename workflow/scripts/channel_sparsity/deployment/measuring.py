"""How good a model is: its answers for clips whose scenes are known, counted."""

from collections.abc import Sequence

import numpy as np

#: Probabilities under this are taken for it where their logarithms are compared.
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


def largest_difference(probabilities: np.ndarray, others: np.ndarray) -> float:
    """The largest difference of log-probabilities, where one of the two is at least `LEAST_PROBABILITY`."""
    first, second = (np.log(np.maximum(each, LEAST_PROBABILITY)) for each in (probabilities, others))
    return float(np.abs(first - second).max())


def evenly(count: int, wanted: int) -> np.ndarray:
    """`wanted` of `count` places, evenly spread; all if there are fewer."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int))
