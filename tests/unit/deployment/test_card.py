"""What a card counts and what it says."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.card import markdown
from channel_sparsity.deployment.checking import SIGNALS, accuracies, check_on_signals, evenly, signals
from channel_sparsity.deployment.export import exported, whole_model
from channel_sparsity.deployment.frontend import TOLERANCE_DB

SCENES = ["bus", "park", "tram"]
LOGMEL = LogMel(win_length=3528, hop_length=3528, n_fft=4096, duration_s=2.6)


def test_counts_are_those_of_scikit_learn():
    draw = np.random.default_rng(1)
    labels, answers = draw.integers(0, 3, 50), draw.normal(size=(50, 3))
    found = accuracies(answers, labels, SCENES)
    given = answers.argmax(axis=1)
    assert found["accuracy"] == accuracy_score(labels, given)
    assert found["confusion"] == confusion_matrix(labels, given).tolist()
    assert list(found["accuracy_per_scene"].values()) == pytest.approx(recall_score(labels, given, average=None))


@pytest.mark.parametrize(("count", "wanted"), [(1, 5), (10, 10), (1000, 64)])
def test_clips_are_spread_evenly(count, wanted):
    places = evenly(count, wanted)
    assert len(set(places)) == min(count, wanted) and places[0] == 0
    assert places[-1] == count - 1 and np.ptp(np.diff(places)) <= 1 if count > 1 else True


@pytest.fixture
def model(pruned):
    """A network that tells clips apart by their level, and what makes its float32 form."""
    network = pruned("resnet11")
    mean, deviation = np.linspace(-60, -20, 40), np.linspace(5, 15, 40)

    def probabilities(decibels):
        normalised = (decibels - mean[:, None]) / deviation[:, None]
        with torch.inference_mode():
            return network(torch.tensor(normalised, dtype=torch.float32)[None, None]).softmax(1)[0].numpy()

    part = exported(network, 40, LOGMEL.frames)
    return lambda mean_db=mean: whole_model(part, LOGMEL, mean_db, deviation, {}), probabilities, mean


def test_signals_are_the_same_everywhere_and_meet_the_whole_range():
    first, again = list(signals(LOGMEL)), list(signals(LOGMEL))
    assert len(first) == SIGNALS and all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert {(signal.shape, signal.dtype) for signal in first} == {((LOGMEL.samples,), np.dtype("float32"))}
    peaks = [np.abs(signal).max() for signal in first]
    assert 0.9 < peaks[0] <= 1 and peaks[-1] == 0 and 20 * np.log10(peaks[-2] / peaks[0]) == pytest.approx(-70, abs=1)
    spans = [np.ptp(LOGMEL(signal)) for signal in first]
    assert max(spans) == 80, "where softer parts are held at 80 dB below the loudest"
    assert spans[-1] == 0


def test_a_model_answers_signals_as_the_study_does(model):
    made, probabilities, _ = model
    off_db, off = check_on_signals(made(), LOGMEL, probabilities)
    assert off_db < TOLERANCE_DB and off < 1e-4


def test_a_model_that_hears_otherwise_is_refused(model, monkeypatch):
    made, probabilities, mean = model
    with pytest.raises(RuntimeError, match=r"on test signals the model is up to .* of probability off the study's"):
        check_on_signals(made(mean + 6), LOGMEL, probabilities)
    quieter = LogMel.__call__
    monkeypatch.setattr(LogMel, "__call__", lambda self, waveform: quieter(self, waveform) - 0.01)
    with pytest.raises(RuntimeError, match=r"up to 0\.01 dB"):
        check_on_signals(made(), LOGMEL, probabilities)


def test_the_page_says_what_matters():
    form = {"accuracy": 0.5, "accuracy_per_scene": {"a|b": 0.5, "c": 0.0}, "confusion": [[1, 1], [0, 0]]}
    file = {"name": "m.onnx", "bytes": 12345, "sha256": "0"}
    card = {
        "model": "m",
        "chosen_because": "The best.",
        "warnings": ["Careful."],
        "data": {"scenes": ["a|b", "c"], "duration_s": 2.0, "sample_rate_hz": 44100, "samples": 88200}
        | {"clips_train": 5, "clips_validation": 2, "dataset": "d", "source": "folder", "licence": "CC0."},
        "made": {"network_label": "VGG-11", "channels_unpruned": 2000, "study": "s", "lam": "0", "seed": 1, "step": 3}
        | {"recipe": "slimming", "weights": "m.safetensors"},
        "size": {"channels": 1000, "parameters": 1, "budget_bytes": 2, "macs_per_second": 3.0, "macs": 6}
        | {"budget_macs_per_second": 4.0, "int8_constants_bytes": 5, "within_budget": False},
        "accuracy": {"pytorch": 0.5, "float32": form, "int8": form},
        "caution": "Optimistic.",
        "checks": {"validation_clips": 1234, "log_probability_tolerance": 0.001, "signals": 16}
        | {"feature_tolerance_db": 0.002, "probability_tolerance": 0.01},
        "files": {"float32": file, "int8": file},
        "timing": "m-timing.csv",
        "intended_use": "Research.",
    }
    page = markdown(card)
    for words in (
        "# m\n",
        "**Careful.**",
        "CC0.",
        "12,345",
        "not within the study's budget",
        "Optimistic.",
        "Research.",
    ):
        assert words in page
    assert "On all 1,234 validation clips" in page and "within 0.002 dB" in page and "a\\|b" in page
