"""Scores of Network Slimming."""

import pytest
import torch
from contexts_for_tests import context

from channel_sparsity.networks import build, widths_of
from channel_sparsity.pruning.methods.slimming import scores


def with_gammas(name, **gammas):
    network = build(name, 10, 0.125)
    for norm, values in gammas.items():
        network.get_submodule(norm.replace("__", ".")).weight.data[:3] = torch.tensor(values)
    return network


def test_a_channel_is_worth_the_size_of_its_gamma():
    network = with_gammas("vgg11", stage1__0__norm=[-0.3, 0.1, 0.0])
    found = scores(network, context())
    assert {name: len(values) for name, values in found.items()} == widths_of(network)
    assert list(found) == [channels.name for channels in network.channels]
    torch.testing.assert_close(found["stage1.0.norm"], torch.tensor([0.3, 0.1, 0.0] + [0.5] * 5))
    assert not found["stage1.0.norm"].requires_grad


def test_signed_scores_put_negative_gammas_first():
    network = with_gammas("vgg11", stage1__0__norm=[-0.3, 0.1, 0.0])
    assert scores(network, context(signed_gammas=True))["stage1.0.norm"].argmin() == 0


@pytest.mark.parametrize(
    ("tied", "expected"), [("min", [0.2, 0.1, 0.4]), ("mean", [0.3, 0.35, 0.4]), ("max", [0.4, 0.6, 0.4])]
)
def test_a_depthwise_pair_has_one_score(tied, expected):
    network = with_gammas("mobilenet0.25", stem_norm=[-0.2, 0.6, 0.4], block1__depthwise_norm=[0.4, -0.1, -0.4])
    torch.testing.assert_close(scores(network, context(tied_gammas=tied))["stem_norm"][:3], torch.tensor(expected))
