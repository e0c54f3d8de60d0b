"""Ye et al.: penalties by hand, constants absorbed against the network that still computes them."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.pruning.ista import absorb, penalties, proximal_step, scores
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut

AREA = 40 * 401
INPUT = (2, 1, 16, 24)


def trained(name, scale=0.25):
    """A network in double precision whose gammas are of both signs and whose betas are not zero."""
    torch.manual_seed(11)
    network = build(name, 5, scale).eval().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network


def silenced(network, keep):
    """A copy with gamma = 0, but beta as it was, in every channel that is not kept."""
    network = copy.deepcopy(network)
    for channels in network.channels:
        for norm in map(network.get_submodule, channels.norms):
            mask = torch.zeros_like(norm.weight)
            mask[keep[channels.name]] = 1
            norm.weight.data *= mask
    return network


def without_borders(network):
    """The network with maps that go on beyond their borders, so that a constant stays one there."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "replicate"
    return network


def half_gone(network):
    total = sum(len(gamma) for gamma in gammas_of(network).values())
    return choose(scores(network, 40, 51), sizes_of(network), total // 2)


def test_penalties_of_vgg16_by_hand():
    # Filter, weights that read the channel, area of its feature map.
    expected = [
        9 + 576 + 40 * 401,
        576 + 1152 + 40 * 401,
        576 + 1152 + 20 * 200,
        1152 + 2304 + 20 * 200,
        1152 + 2304 + 10 * 100,
        2304 + 2304 + 10 * 100,
        2304 + 4608 + 10 * 100,
        2304 + 4608 + 5 * 50,
        4608 + 4608 + 5 * 50,
        4608 + 4608 + 5 * 50,
        4608 + 4608 + 2 * 25,
        4608 + 4608 + 2 * 25,
        4608 + 10 + 2 * 25,
    ]
    with torch.device("meta"):
        network = build("vgg16", 10)
    found = penalties(network, 40, 401)
    assert list(found) == list(gammas_of(network))
    assert list(found.values()) == pytest.approx([values / AREA for values in expected], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "norm", "values"),
    [
        ("mobilenet1.00", "stem_norm", 9 + 9 + 40 * 401),
        ("mobilenet1.00", "block1.depthwise_norm", 9 + 64 + 40 * 401),
        ("mobilenet1.00", "block1.pointwise_norm", 32 + 9 + 40 * 401),
        ("mobilenet1.00", "block2.depthwise_norm", 9 + 128 + 20 * 201),
        ("mobilenet1.00", "block13.pointwise_norm", 1024 + 10 + 3 * 26),
        ("resnet11", "stage1.0.norm1", 0 + 16 + 40 * 401),
        ("resnet11", "stage2.0.norm2", 64 + 9 * 32 + 40 * 401),
        ("resnet11", "stage2.0.norm3", 9 * 32 + 128 + 20 * 201),
        ("resnet11", "norm", 0 + 10 + 10 * 101),
    ],
)
def test_penalties_of_the_other_families_by_hand(name, norm, values):
    with torch.device("meta"):
        network = build(name, 10)
    assert penalties(network, 40, 401)[norm] == pytest.approx(values / AREA, rel=1e-12)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_the_weakest_scores_are_those_under_a_threshold(name):
    network = trained(name)
    found, penalty = scores(network, 40, 51), penalties(network, 40, 51)
    assert {layer: len(values) for layer, values in found.items()} == widths_of(network)
    eta = torch.cat(list(found.values())).median() * (1 + 1e-9)  # clear of rounding
    for channels in network.channels:
        under = [network.get_submodule(norm).weight.abs() <= eta * penalty[norm] for norm in channels.norms]
        assert (found[channels.name] <= eta).equal(torch.stack(under).any(0))


@pytest.mark.parametrize("name", ["resnet11", "resnet20", "mobilenet0.25", "vgg11", "vgg16"])
@torch.no_grad()
def test_absorbing_is_exact_but_for_the_zeros_beyond_a_border(name):
    """Depthwise pairs, the residual stream with its shortcuts, the head: all of them in one."""
    network = trained(name)
    keep = half_gone(network)
    x = torch.randn(INPUT, dtype=torch.float64)
    expected = without_borders(silenced(network, keep))(x)
    absorbed = without_borders(cut(absorb(network, keep), keep))(x)
    ignored = without_borders(cut(network, keep))(x)
    scale = expected.abs().max()
    assert (absorbed - expected).abs().max() < 1e-9 * scale
    assert (ignored - expected).abs().max() > 1e-2 * scale


@torch.no_grad()
def test_absorbing_is_exact_in_the_interior_behind_padding():
    network = trained("vgg11")
    keep = {layer: torch.arange(width) for layer, width in widths_of(network).items()}
    keep["stage1.0.norm"] = torch.tensor([0, 1, 5])
    maps = []
    for version in (silenced(network, keep), cut(absorb(network, keep), keep), cut(network, keep)):
        version.stage2.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
        version(torch.randn(INPUT, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    expected, absorbed, ignored = (tensor[:, :, 1:-1, 1:-1] for tensor in maps)
    torch.testing.assert_close(absorbed, expected, rtol=1e-9, atol=1e-9)
    assert (ignored - expected).abs().max() > 0.1
    assert (maps[1] - maps[0])[:, :, 0].abs().max() > 1e-3  # there, zeros are what is beyond


def test_absorbing_leaves_the_network_itself_alone():
    network = trained("resnet11").train()
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    absorbed = absorb(network, half_gone(network))
    assert absorbed.training
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())
    changed = {key for key, tensor in absorbed.state_dict().items() if not tensor.equal(state[key])}
    assert changed
    assert all(key.endswith("running_mean") or key == "head.bias" for key in changed)
    assert not any(module._forward_hooks for module in absorbed.modules())


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_nothing_to_absorb(name):
    network = trained(name)
    keep = {layer: torch.arange(width) for layer, width in widths_of(network).items()}
    state = absorb(network, keep).state_dict()
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())


@given(st.lists(st.floats(-2, 2), min_size=1), st.floats(0, 1))
def test_the_proximal_step_minimises_its_objective(values, threshold):
    """prox(g) = argmin_z (z - g)^2 / 2 + t |z|: no other z does better."""
    start = torch.tensor(values, dtype=torch.float64)
    gamma = nn.Parameter(start.clone())
    proximal_step({"norm": gamma}, {"norm": threshold})
    others = torch.linspace(-2, 2, 81, dtype=torch.float64)[:, None]

    def objective(z):
        return (z - start) ** 2 / 2 + threshold * z.abs()

    assert (objective(gamma.detach()) <= objective(others) + 1e-12).all()
    assert (gamma * start >= 0).all()
