"""What a card counts and what it says."""

import numpy as np
import pytest
import soundfile
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.card import markdown
from channel_sparsity.deployment.checking import check_on_recordings, evenly, log_softmax, measured
from channel_sparsity.deployment.export import exported, whole_model
from channel_sparsity.deployment.quantisation import quantised
from channel_sparsity.deployment.running import outputs
from channel_sparsity.files import StudyError

SCENES = ["bus", "park", "tram"]
LOGMEL = LogMel(win_length=3528, hop_length=3528, n_fft=4096, duration_s=2.6)


def test_counts_are_those_of_scikit_learn():
    draw = np.random.default_rng(1)
    labels, answers = draw.integers(0, 3, 50), draw.normal(size=(50, 3))
    found = measured(answers, labels, SCENES)
    given = answers.argmax(axis=1)
    assert found["accuracy"] == accuracy_score(labels, given)
    assert found["confusion"] == confusion_matrix(labels, given).tolist()
    assert list(found["accuracy_per_scene"].values()) == pytest.approx(recall_score(labels, given, average=None))
    assert measured(answers[:1], labels[:1] * 0, SCENES)["accuracy_per_scene"]["tram"] is None


def test_log_softmax_holds_for_large_logits():
    np.testing.assert_allclose(log_softmax(np.array([[1000.0, 1000.0]])), np.log([[0.5, 0.5]]))


@pytest.mark.parametrize(("count", "wanted"), [(1, 5), (10, 10), (1000, 64)])
def test_clips_are_spread_evenly(count, wanted):
    places = evenly(count, wanted)
    assert len(set(places)) == min(count, wanted) and places[0] == 0
    assert places[-1] == count - 1 and np.ptp(np.diff(places)) <= 1 if count > 1 else True


@pytest.fixture
def files(pruned, tmp_path):
    """The two forms of a model and five recordings, with the features and answers of the study."""
    network, draw = pruned("vgg11"), np.random.default_rng(2)
    mean, deviation = np.full(40, -20.0), np.full(40, 9.0)
    waveforms = 0.1 * draw.normal(size=(5, LOGMEL.samples)).astype(np.float32)
    paths = [tmp_path / f"{number}.wav" for number in range(5)]
    for path, waveform in zip(paths, waveforms, strict=True):
        soundfile.write(path, waveform, LOGMEL.sample_rate_hz, subtype="FLOAT")
    features = np.stack([LOGMEL(waveform) for waveform in waveforms])
    normalised = (((features - mean[:, None]) / deviation[:, None])[:, None]).astype(np.float32)
    part = exported(network, 40, LOGMEL.frames)
    models = []
    for form, each in (("float32", part), ("int8", quantised(part, [normalised]))):
        models.append(tmp_path / f"{form}.onnx")
        models[-1].write_bytes(whole_model(each, LOGMEL, mean, deviation, {}).SerializeToString())
    return models, paths, features, log_softmax(outputs(part, [normalised]))


def test_recordings_are_answered_as_their_features_are(files):
    models, paths, features, answers = files
    labels = answers.argmax(axis=1)
    found = check_on_recordings(models, paths, features, answers, labels, LOGMEL)
    assert found["clips"] == 5 and found["feature_difference_db"] < 1e-3
    assert found["accuracy_pytorch"] == found["float32"]["accuracy"] == 1
    assert found["float32"]["same_scene_as_pytorch"] == 5
    assert found["float32"]["log_probability_difference"] < 1e-4 < found["int8"]["log_probability_difference"]
    assert check_on_recordings(models, [], features[:0], answers[:0], labels[:0], LOGMEL) == {"clips": 0}


def test_a_recording_that_has_changed_is_named(files):
    models, paths, features, answers = files
    features[3, 7, 2] += 0.01
    with pytest.raises(StudyError, match=r"the features of .*3\.wav are 0\.01 dB off the study's"):
        check_on_recordings(models, paths, features, answers, answers.argmax(axis=1), LOGMEL)


def test_the_page_says_what_matters():
    form = {"accuracy": 0.5, "accuracy_per_scene": {"a|b": 0.5, "c": None}, "confusion": [[1, 1], [0, 0]]}
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
        "checks": {"network_log_probability_difference": 1e-5, "recordings": {"clips": 0}},
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
    assert "not checked on recordings" in page and "a\\|b" in page
