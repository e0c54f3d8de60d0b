"""Ye et al.: the threshold that takes a count, what it does to the gammas that stay, and the rescaling."""

import pytest
import torch
from contexts_for_tests import context
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.pruning.ista import rescale, shrink
from channel_sparsity.pruning.methods import Method
from channel_sparsity.pruning.methods.ista import scores

INPUT = (2, 1, 16, 24)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_the_weakest_scores_are_those_under_a_threshold(name, trained):
    network = trained(name, 0.25).double()
    found, costs = scores(network, context()), channel_costs(network, 40, 51)
    assert {layer: len(values) for layer, values in found.items()} == widths_of(network)
    eta = torch.cat(list(found.values())).median() * (1 + 1e-9)  # clear of rounding
    for channels in network.channels:
        under = [network.get_submodule(norm).weight.abs() <= eta * costs[norm] for norm in channels.norms]
        assert (found[channels.name] <= eta).equal(torch.stack(under).any(0))


@pytest.mark.parametrize(
    ("tied", "expected"),
    [
        ("min", [0.2 / 2057, 0.1 / 537, 0.4 / 2057]),
        ("mean", [(0.2 / 2057 + 0.1 / 537) / 2, (0.6 / 2057 + 0.1 / 537) / 2, (0.4 / 2057 + 0.3 / 537) / 2]),
        ("max", [0.1 / 537, 0.6 / 2057, 0.3 / 537]),
    ],
)
def test_the_scores_of_a_depthwise_pair_make_one(tied, expected):
    """Of 40 x 51 = 2040 values: one gamma costs 8 + 9 weights and a map of that size, the other a map of 20 x 26."""
    network = build("mobilenet0.25", 10, 0.125)
    for norm, gammas in ("block1.pointwise_norm", [-0.2, 0.6, 0.4]), ("block2.depthwise_norm", [0.1, -0.1, -0.3]):
        network.get_submodule(norm).weight.data[:3] = torch.tensor(gammas)
    found = scores(network, context(tied_gammas=tied))["block1.pointwise_norm"]
    torch.testing.assert_close(found[:3], 2040 * torch.tensor(expected))


def test_what_stays_is_shrunk_by_the_threshold_that_took_the_rest(trained):
    network = trained("vgg11", 0.25).double()
    plain, shrunk = (Method(scores, context(), shrinks=shrinks).prune(network, 1, 100) for shrinks in (False, True))
    assert widths_of(plain) == widths_of(shrunk)
    removed = torch.cat(list(scores(network, context()).values())).sort().values[:100]
    for norm, cost in channel_costs(network, 40, 51).items():
        before, after = gammas_of(plain)[norm], gammas_of(shrunk)[norm]
        lost = (before - after) * before.sign()
        torch.testing.assert_close(lost, torch.full_like(lost, removed[-1] * cost))
        assert (before.sign() == after.sign()).all()


def test_a_gamma_that_stays_under_the_threshold_is_left_as_it_is():
    network = build("vgg11", 2, 0.05)
    network.stage1[0].norm.weight.data[:3] = torch.tensor([-0.3, 0.1, 0.2])
    shrink(network, {"stage1.0.norm": 0.2})
    torch.testing.assert_close(network.stage1[0].norm.weight.data[:3], torch.tensor([-0.1, 0.1, 0.2]))


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
@settings(max_examples=20)
@given(alpha=st.floats(1e-3, 10))
@torch.no_grad()
def test_rescaling_preserves_the_function_in_evaluation_and_in_training(name, trained, alpha):
    network, x = trained(name, 0.1).double(), torch.randn(INPUT, dtype=torch.float64)
    gammas = {norm: gamma.detach().clone() for norm, gamma in gammas_of(network).items()}
    for training in (False, True):
        network.train(training)
        expected = network(x)
        rescale(network, alpha)
        for norm, gamma in gammas_of(network).items():
            torch.testing.assert_close(gamma.detach(), alpha * gammas[norm])
        torch.testing.assert_close(network(x), expected, rtol=1e-6, atol=1e-6)
        rescale(network, 1 / alpha)


def test_rescaling_by_one_changes_no_bit(trained):
    network = trained("mobilenet0.25", 0.25)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    rescale(network, 1.0)
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())


def test_a_threshold_takes_a_larger_share_of_a_rescaled_gamma(trained):
    network, alpha = trained("vgg11", 0.25), 0.1
    before = gammas_of(network)["stage1.0.norm"].detach().clone()
    rescale(network, alpha)
    shrink(network, {"stage1.0.norm": 1e-4})
    rescale(network, 1 / alpha)
    lost = (before - gammas_of(network)["stage1.0.norm"].detach()) * before.sign()
    torch.testing.assert_close(lost, torch.full_like(lost, 1e-3), rtol=1e-3, atol=1e-6)
