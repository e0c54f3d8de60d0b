"""What is written of a training, against what its network says by itself."""

import math
from dataclasses import replace

import pytest
import torch
from settings_for_tests import NO_PENALTY, SHORT, clips_of_levels

from channel_sparsity.networks import gammas_of
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.setup import Setup
from channel_sparsity.training.state import State
from channel_sparsity.training.trained import metrics_of, train
from channel_sparsity.training.updates import Updates

SCENES = ["bus", "park", "tram"]


@pytest.fixture
def setup(tmp_path):
    """Clips of two of three scenes, and a small network."""
    torch.set_num_threads(1)
    shape = {"width_scale": 0.05, "stem_stride": 1}
    state = State(tmp_path / "state", {}, 3600)
    return Setup("vgg11", 3, shape, torch.device("cpu"), *clips_of_levels(16, 8), SCENES, state)


def test_the_figures_are_the_networks_own(setup):
    done = []
    trained = train(setup, SHORT, Penalty("subgradient", 0.02), done.append)
    told = metrics_of(trained, setup, SHORT, "2e-2")
    network = trained.network.eval()
    with torch.no_grad():
        features = (setup.validation.logmel[16:, None] + 35) / 7
        hits = network(features).argmax(1) == setup.validation.labels
    assert done == [1, 2] and [epoch.epoch for epoch in trained.history] == [1, 2]
    assert told["accuracy"] == hits.float().mean().item()
    assert told["accuracy_per_scene"] == {
        "bus": hits[0::2].float().mean().item(),
        "park": hits[1::2].float().mean().item(),
        "tram": None,
    }
    assert told["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    # Two batches an epoch; the rate falls to 0 in four steps, from 0.05.
    assert told["shrinkage"] == pytest.approx(0.02 * 0.05 * (1 + 0.75 + 0.5 + 0.25))
    named = {key: told[key] for key in ("network", "width_scale", "lam", "seed", "clips_train", "clips_validation")}
    assert list(named.values()) == ["vgg11", 0.05, "2e-2", 3, 16, 8] and told["device"] == "cpu"
    gammas = trained.tables()["gammas"]
    assert told["channels"] == len(gammas)
    for layer, own in gammas.groupby("layer", sort=False):
        assert own["gamma"].tolist() == gammas_of(network)[layer].tolist()
        assert own["channel"].tolist() == list(range(len(own)))
    assert trained.tables()["history"]["accuracy_validation"].tolist()[-1] == told["accuracy"]


def test_the_penalty_and_the_seed_decide_the_training(setup):
    def total(penalty, seed=3):
        network = train(replace(setup, seed=seed, state=None), SHORT, penalty).network
        return sum(gamma.abs().sum().item() for gamma in gammas_of(network).values())

    plain = total(NO_PENALTY)
    assert total(NO_PENALTY) == plain != total(NO_PENALTY, seed=4)
    assert total(Penalty("subgradient", 0.5)) < plain - 1


@pytest.mark.parametrize(
    ("scale", "changes", "status", "reason"),
    [
        (1, {"learning_rate": 1e30}, "diverged", "the training loss was "),
        (0, {"learning_rate": 1e-30}, "collapsed", "every validation clip is taken for "),
    ],
)
def test_a_training_that_goes_wrong_says_how(setup, monkeypatch, scale, changes, status, reason):
    untrained = Setup.untrained

    def with_head(self):
        network = untrained(self)
        network.head.weight.data *= scale
        return network

    monkeypatch.setattr(Setup, "untrained", with_head)
    settings = replace(SHORT, **changes)
    trained = train(setup, settings, NO_PENALTY)
    told = metrics_of(trained, setup, settings, "0")
    assert told["status"] == status and told["reason"].startswith(reason)
    if status == "diverged":
        assert told["accuracy"] is None and told["accuracy_per_scene"] == dict.fromkeys(SCENES)
    else:
        assert told["accuracy"] == 0.5 and set(told["accuracy_per_scene"].values()) == {0, 1, None}
    assert len(trained.history) == (1 if status == "diverged" else 2)
    assert math.isfinite(told["macs"])


def test_a_gpu_that_is_too_small_ends_the_training_and_not_the_job(setup, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Updates, "averages", full)
    trained = train(setup, SHORT, NO_PENALTY)
    assert (trained.log_probabilities, trained.history) == (None, [])
    told = metrics_of(trained, setup, SHORT, "0")
    assert told["status"] == "out_of_memory"
    assert told["reason"] == (
        "the GPU's memory did not suffice in epoch 1: let fewer jobs share the GPU (--resources gpu=1), or use one "
        "with more memory"
    )
