"""Updates that are captured and replayed against updates that are not, and reduced precision."""

import copy
from dataclasses import replace

import pytest
import torch
from settings_for_tests import NO_PENALTY, SHORT, clips_of_levels

from channel_sparsity.networks import build, gammas_of
from channel_sparsity.training.fit import seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.replay import WARM_UP, Replayed
from channel_sparsity.training.settings import make_optimiser
from channel_sparsity.training.updates import Updates

SETTINGS = replace(SHORT, epochs=1, batch_size=4, schedule="constant", clip_gammas=0.05, clip_norm=2.0)


class Capture:
    """What a CUDA graph does, on a CPU: the same work again, on the very tensors of the capture."""

    def __init__(self):
        self.captured = self.replays = 0

    def __call__(self, function, inputs):
        self.captured += 1

        def replay():
            self.replays += 1
            function(*inputs)

        return replay


@pytest.fixture
def clips():
    return clips_of_levels(30, classes=3, step=5)[0]


def learnt(network, clips, training, capture=None, kind="ista"):
    """A copy of the network after one pass in batches of 4, the last one of 2, each at a rate of its own."""
    network = copy.deepcopy(network)
    pull = Penalty(kind, 1e-3).on(network, 40, 32)
    update = Updates(network, clips, training, make_optimiser(network, training), pull)
    if capture:
        # As on a GPU: the rate is a tensor that every replay finds changed.
        rate = torch.zeros(())

        def set_rate(value):
            rate.fill_(value)
            update.rate = rate
            for group in update.optimiser.param_groups:
                group["lr"] = rate

        update._set_rate = set_rate
        update._run = Replayed(capture)
    with seeded(1, "order"):
        for number, which in enumerate(torch.randperm(30).split(4)):
            update(which, 0.05 / (1 + number))
    return network, update.averages()


@pytest.mark.parametrize("kind", ["subgradient", "ista"])
def test_a_replayed_update_learns_what_an_update_learns(clips, kind):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network, capture = build("vgg11", 3, 0.05), Capture()
    plain, averages = learnt(network, clips, SETTINGS, kind=kind)
    replayed, replayed_averages = learnt(network, clips, SETTINGS, capture, kind)
    assert (capture.captured, capture.replays) == (1, 7 - WARM_UP)
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(replayed.state_dict()[key], value, rtol=1e-5, atol=1e-6)
    assert replayed_averages == pytest.approx(averages, rel=1e-5)


def test_averages_begin_anew(clips):
    torch.manual_seed(1)
    network = build("vgg11", 3, 0.05)
    update = Updates(network, clips, SETTINGS, make_optimiser(network, SETTINGS), NO_PENALTY.on(network, 40, 32))
    update(torch.arange(4), 0.0)
    loss, accuracy = update.averages()
    assert loss > 0 and accuracy in (0, 0.25, 0.5, 0.75, 1)
    update(torch.arange(8), 0.0)
    assert update.clips == 8


def test_bfloat16_is_near_single_precision_and_keeps_weights_single(clips):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = build("resnet11", 3, 0.5)
    single, (loss, _) = learnt(network, clips, SETTINGS)
    half, (near, _) = learnt(network, clips, replace(SETTINGS, precision="bfloat16"))
    assert near == pytest.approx(loss, rel=0.05) and near != loss
    assert {value.dtype for value in half.state_dict().values()} <= {torch.float32, torch.int64}
    for ours, theirs in zip(gammas_of(half).values(), gammas_of(single).values(), strict=True):
        assert (ours - theirs).abs().max() < 0.05
