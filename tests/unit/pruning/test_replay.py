"""Steps made again, against the curve that they come from."""

from dataclasses import replace

import pytest
import torch
from test_curve import CUT, FINETUNING, ONCE, RANDOM, SLIMMING, STATISTICS, STEPS, TAYLOR, clips, network  # noqa: F401

from channel_sparsity.pruning.curve import trace
from channel_sparsity.pruning.replay import replay


@pytest.mark.parametrize(
    ("schedule", "finetuning"), [(STEPS, FINETUNING), (ONCE, FINETUNING), (STEPS, CUT), (STEPS, STATISTICS)]
)
@pytest.mark.parametrize("method", [SLIMMING, TAYLOR, replace(RANDOM, absorbs=True)])
def test_a_step_made_again_is_the_curves_own(clips, network, schedule, finetuning, method):  # noqa: F811
    train, validation = clips
    network = network.to(memory_format=torch.channels_last)
    options = {"seed": 3, "name": "vgg11"}
    for step in trace(network, method, schedule, finetuning, train, validation, **options):
        again = replay(network, method, schedule, finetuning, train, step.step, **options)
        ours, theirs = again.state_dict(), step.network.state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert step.step > 2
