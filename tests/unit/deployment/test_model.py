"""Both forms of a model against PyTorch, and what its card says against what it was made from."""

import json
import logging

import numpy as np
import onnx
import pytest
import torch

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.deployment import model as making
from channel_sparsity.deployment.card import markdown
from channel_sparsity.deployment.describing import card_of
from channel_sparsity.deployment.model import make_model
from channel_sparsity.files import sha256, write_bytes, write_json
from channel_sparsity.networks import gammas_of
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.features import Subset

SCENES = ["bus", "park", "tram"]
FEATURES = {"sample_rate_hz": 44100, "duration_s": 2.6, "bands": 40, "window_samples": 3528, "hop_samples": 3528}
FEATURES |= {"fft_samples": 4096, "lowest_hz": 0, "highest_hz": 22050, "dynamic_range_db": 80}
LOGMEL = logmel_of(FEATURES)
BANDS = {"mean_db": [-40.0] * 40, "standard_deviation_db": [8.0] * 40}


@pytest.fixture
def clips():
    """150 clips to train on, of another level than the 20 to validate with."""
    draw = np.random.default_rng(1)
    logmel = draw.normal(-40, 8, (170, 40, LOGMEL.frames)).astype(np.float32)
    labels = np.arange(170) % 3
    return tuple(
        Subset.of(logmel, rows, labels[rows], *BANDS.values()) for rows in (np.arange(150), np.arange(150, 170))
    )


@pytest.fixture
def network(pruned):
    return pruned("resnet11", 0.25)


def test_both_forms_are_measured_on_the_validation_clips(network, clips):
    model = make_model(network, *clips, LOGMEL, BANDS, {"scenes": SCENES, "model": "m"})
    with torch.inference_mode():
        answers = network((clips[1].logmel[150:, None] + 40) / 8).argmax(1).numpy()
    labels = np.arange(150, 170) % 3
    for form in ("pytorch", "float32"):
        assert model.accuracy[form]["accuracy"] == (answers == labels).mean()
        confusion = np.array(model.accuracy[form]["confusion"])
        assert [confusion[true, said] for true, said in zip(labels, answers, strict=True)].count(0) == 0
    assert np.sum(model.accuracy["int8"]["confusion"]) == 20
    assert model.calibration_clips == 128 and model.files.keys() == {"float32", "int8"}
    for form, file in model.files.items():
        told = {each.key: each.value for each in file.metadata_props}
        assert (told["form"], told["model"], json.loads(told["scenes"])) == (form, "m", SCENES)


def test_what_was_found_is_in_the_log(network, clips, caplog):
    with caplog.at_level(logging.INFO):
        make_model(network, *clips, LOGMEL, BANDS, {"scenes": SCENES})
    assert "on test signals" in caplog.text and "log-probability on the validation clips" in caplog.text


def test_a_form_that_answers_otherwise_than_pytorch_is_no_model(network, clips, monkeypatch):
    real = making.exported

    def off(network, *size):
        model = real(network, *size)
        bias = next(tensor for tensor in model.graph.initializer if tensor.name == "head.bias")
        bias.CopyFrom(
            onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32([0.1, 0, 0]), bias.name)
        )
        return model

    monkeypatch.setattr(making, "exported", off)
    with pytest.raises(RuntimeError, match=r"onnxruntime's log-probabilities are up to 0\.0"):
        make_model(network, *clips, LOGMEL, BANDS, {"scenes": SCENES})


@pytest.fixture
def told():
    """The parameters of the rule."""
    chosen = {
        "sentence": "The best.",
        "network": "resnet11",
        "recipe": "slimming",
        "lam": "1e-3",
        "seed": "2",
        "step": "7",
    }
    data = {"dataset": "d", "source": "folder", "licence": "CC0.", "devices": ["a"], "features": FEATURES}
    return {
        "cell": chosen,
        "data": data,
        "label": "ResNet-11 x 0.25",
        "shape": {"width_scale": 0.25, "stem_stride": 1},
        "recipe": {"step": 0.05},
        "settings": {"epochs": 9},
        "study": "s",
        "stages": {"train_network": "abc"},
        "note": "Synthetic.",
        "budget": {"parameter_bytes": 10**6, "macs_per_second": 10**9},
    }


@pytest.fixture
def card(network, clips, told, tmp_path):
    """What makes the card of a network, and its metrics."""
    model = make_model(network, *clips, LOGMEL, BANDS, {"scenes": SCENES})
    metrics = {"clips_train": 150, "clips_validation": 20, "channels": 300, "weights_sha256": "w"}
    write_json(tmp_path / "metrics.json", metrics)
    write_json(tmp_path / "manifest.json", {"features_sha256": "f"})
    written = {form: tmp_path / f"{form}.onnx" for form in model.files}
    for form, file in model.files.items():
        write_bytes(written[form], file.SerializeToString())
    files = {name: tmp_path / f"{name}.json" for name in ("metrics", "manifest")} | {"network": "x/m.safetensors"}

    def made(**changes):
        return card_of("m", model, network, told | changes, files, written)

    return made, model, written


def test_a_card_says_what_the_model_is(card, network):
    made, model, written = card
    said = json.loads(json.dumps(made()))
    assert said["model"] == "m" and said["chosen_because"] == "The best." and said["warnings"][0] == "Synthetic."
    assert said["data"]["scenes"] == SCENES and said["data"]["features_sha256"] == "f"
    assert (said["data"]["samples"], said["data"]["clips_train"]) == (round(2.6 * 44100), 150)
    own = said["made"]
    assert (own["lam"], own["seed"], own["step"], own["weights"]) == ("1e-3", 2, 7, "m.safetensors")
    assert (own["width_scale"], own["stem_stride"], own["channels_unpruned"]) == (0.25, 1, 300)
    assert said["accuracy"]["pytorch"] == model.accuracy["pytorch"]["accuracy"]
    size = said["size"]
    assert size["channels"] == sum(map(len, gammas_of(network).values()))
    assert size["parameters"] == size["int8_bytes"] == sum(p.numel() for p in network.parameters())
    assert size["macs_per_second"] == pytest.approx(cost(network, 40, LOGMEL.frames).macs / 2.6)
    for form, path in written.items():
        wanted = {"name": path.name, "bytes": len(path.read_bytes()), "sha256": sha256(path)}
        assert said["files"][form] == wanted
    assert "# m\n" in markdown(said)


def test_a_card_has_nothing_that_depends_on_the_last_bits_of_a_processor(card):
    """What was checked, and how well it had to do; not how well it did."""
    assert card[0]()["checks"] == {
        "validation_clips": 20,
        "log_probability_tolerance": 1e-3,
        "signals": 16,
        "feature_tolerance_db": 2e-3,
        "probability_tolerance": 1e-3,
    }


@pytest.mark.parametrize("limit", ["parameter_bytes", "macs_per_second"])
def test_a_budget_has_two_limits(card, told, limit):
    made, _, _ = card
    assert made()["size"]["within_budget"] is True
    assert made(budget=told["budget"] | {limit: 10})["size"]["within_budget"] is False


def test_a_loss_by_quantisation_is_warned_of(card):
    made, model, _ = card
    model.accuracy["int8"]["accuracy"] = model.accuracy["float32"]["accuracy"] - 0.02
    assert made(note="")["warnings"] == ["Quantisation to int8 costs 2.0 points of accuracy: prefer the float32 file."]
    model.accuracy["int8"]["accuracy"] = model.accuracy["float32"]["accuracy"] - 0.009
    assert made(note="")["warnings"] == []
