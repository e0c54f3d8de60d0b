"""A cut network against the masked one and against Torch-Pruning."""

import copy

import pytest
import torch
import torch_pruning
from contexts_for_tests import context
from torch import nn

from channel_sparsity.naming import NETWORKS, family
from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.networks.channels import Select
from channel_sparsity.networks.cost import cost
from channel_sparsity.pruning.methods.slimming import scores
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut

SCALE = {"vgg": 0.125, "resnet": 0.5, "mobilenet": 0.5}
INPUT = (2, 1, 16, 24)


def weakest_gone(network, count):
    return choose(scores(network, context()), sizes_of(network), count)


def gammas(network):
    return sum(len(gamma) for gamma in gammas_of(network).values())


def assert_same(one, other):
    """Equal within 1e-5 of the largest value."""
    assert (one - other).abs().max() <= 1e-5 * other.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_a_cut_network_computes_what_the_masked_one_does_at_every_step(name, trained, silenced):
    network = trained(name, SCALE.get(family(name), 0.5))
    total, x = gammas(network), torch.randn(INPUT)
    together = max(len(channels.norms) for channels in network.channels)  # a channel of a depthwise pair has two gammas
    for step in range(1, 20):
        target = round(0.05 * step * total)
        keep = weakest_gone(network, target - (total - gammas(network)))
        smaller = cut(network, keep)
        assert_same(smaller(x), silenced(network, keep, beta=False)(x))
        assert 0 <= target - (total - gammas(smaller)) < together
        network = smaller
    rebuilt = build(name, 5, SCALE.get(family(name), 0.5), widths=widths_of(network)).eval()
    rebuilt.load_state_dict(network.state_dict(), strict=True)
    assert rebuilt(x).equal(network(x))


@pytest.mark.parametrize("name", ["vgg16", "resnet20", "mobilenet0.25"])
@torch.no_grad()
def test_cuts_compose(name, trained):
    network = trained(name, SCALE.get(family(name), 0.5))
    first = weakest_gone(network, 100)
    halfway = cut(network, first)
    second = weakest_gone(halfway, 100)
    both = {name: kept[second[name]] for name, kept in first.items()}
    once, twice = cut(network, both).state_dict(), cut(halfway, second).state_dict()
    assert all(tensor.equal(twice[key]) for key, tensor in once.items())


@torch.no_grad()
def test_the_residual_stream_stays_whole(trained):
    network = trained("resnet11", SCALE["resnet"])
    smaller = cut(network, {name: torch.tensor([0]) for name in widths_of(network)})
    x = torch.randn(INPUT)
    for convolution in ("stem", "stage1.0.conv3", "stage1.0.shortcut", "stage3.0.conv3"):
        assert smaller.get_submodule(convolution).out_channels == network.get_submodule(convolution).out_channels
    assert set(widths_of(smaller).values()) == {1}
    assert smaller(x).shape == (2, 5)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_what_a_cut_leaves_alone(name, trained):
    network = trained(name, SCALE.get(family(name), 0.5)).double().train()
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    random = torch.random.get_rng_state()
    smaller = cut(network, weakest_gone(network, 50))
    assert torch.random.get_rng_state().equal(random)
    assert smaller.training and smaller.head.weight.dtype == torch.float64
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in smaller.parameters())

    for tensor in (*smaller.parameters(), *smaller.buffers()):
        tensor.data.zero_()
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())


def test_a_cut_network_learns(trained):
    network = cut(trained("resnet11", SCALE["resnet"]), weakest_gone(trained("resnet11", SCALE["resnet"]), 200)).train()
    network(torch.randn(INPUT)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def selects(name):
    """Whether a network reads a residual stream through a `Select`, which Torch-Pruning does not know."""
    with torch.device("meta"):
        return any(isinstance(module, Select) for module in build(name, 5).modules())


@pytest.mark.parametrize("name", [name for name in NETWORKS if not selects(name)])
def test_torch_pruning_cuts_the_same_network(name, trained):
    network = trained(name, SCALE.get(family(name), 0.5))
    keep = weakest_gone(network, gammas(network) // 2)
    smaller, oracle, x = cut(network, keep), copy.deepcopy(network), torch.randn(INPUT)

    graph = torch_pruning.DependencyGraph().build_dependency(oracle, example_inputs=x)
    for channels in oracle.channels:
        gone = set(range(widths_of(network)[channels.name])) - set(keep[channels.name].tolist())
        convolution = oracle.get_submodule(channels.producers[0])
        if gone:
            graph.get_pruning_group(convolution, torch_pruning.prune_conv_out_channels, idxs=sorted(gone)).prune()

    with torch.no_grad():
        assert_same(smaller(x), oracle(x))
    found, (macs, parameters) = cost(smaller, 40, 101), costs_by_torch_pruning(oracle)
    assert found.parameters == parameters
    assert found.macs == macs


def costs_by_torch_pruning(network):
    """MACs and parameters of one clip, 40 x 101, without what it counts for normalisations and biases."""
    x = torch.randn(1, 1, 40, 101)
    sizes = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output: sizes.append(output.numel()))
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    macs, parameters = torch_pruning.utils.count_ops_and_params(network, x)
    for hook in hooks:
        hook.remove()
    return macs - 2 * sum(sizes) - network.head.out_features, parameters
