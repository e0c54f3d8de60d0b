"""Constants absorbed, against the network that still computes them (gamma = 0, beta kept)."""

import pytest
import torch
from contexts_for_tests import context
from torch import nn

from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.pruning.absorption import absorb
from channel_sparsity.pruning.methods.ista import scores
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut

INPUT = (2, 1, 16, 24)


def without_borders(network):
    """The network with maps that go on beyond their borders, so that a constant stays one there."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "replicate"
    return network


def half_gone(network):
    """Half of the channels, among them ones with negative gammas and betas that are not zero."""
    total = sum(len(gamma) for gamma in gammas_of(network).values())
    keep = choose(scores(network, context()), sizes_of(network), total // 2)
    for channels in network.channels:
        gone = torch.ones(len(network.get_submodule(channels.name).weight), dtype=torch.bool)
        gone[keep[channels.name]] = False
        for norm in map(network.get_submodule, channels.norms):
            assert not gone.any() or (norm.bias[gone] != 0).all()
    assert any((gamma < 0).any() for gamma in gammas_of(network).values())
    return keep


@torch.no_grad()
def test_behind_1_x_1_convolutions_absorbing_is_exact_with_padding_elsewhere(trained, silenced):
    """A ResNet's norm1 and norm3 and the network's last feed 1 x 1 convolutions and the head."""
    network = trained("resnet11", 0.25).double()
    keep = half_gone(network)
    keep |= {name: torch.arange(width) for name, width in widths_of(network).items() if name.endswith("norm2")}
    x = torch.randn(INPUT, dtype=torch.float64)
    torch.testing.assert_close(
        cut(absorb(network, keep), keep)(x), silenced(network, keep, beta=True)(x), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("name", ["resnet11", "resnet20", "mobilenet0.25", "vgg11", "vgg16"])
@torch.no_grad()
def test_absorbing_is_exact_but_for_the_zeros_beyond_a_border(name, trained, silenced):
    """Depthwise pairs, the residual stream with its shortcuts, the head: all of them in one."""
    network = trained(name, 0.25).double()
    keep = half_gone(network)
    x = torch.randn(INPUT, dtype=torch.float64)
    expected = without_borders(silenced(network, keep, beta=True))(x)
    absorbed = without_borders(cut(absorb(network, keep), keep))(x)
    ignored = without_borders(cut(network, keep))(x)
    scale = expected.abs().max()
    assert (absorbed - expected).abs().max() < 1e-9 * scale
    assert (ignored - expected).abs().max() > 1e-2 * scale


@torch.no_grad()
def test_absorbing_is_exact_in_the_interior_behind_padding(trained, silenced):
    network = trained("vgg11", 0.25).double()
    keep = {layer: torch.arange(width) for layer, width in widths_of(network).items()}
    keep["stage1.0.norm"] = torch.tensor([0, 1, 5])
    maps = []
    for version in (silenced(network, keep, beta=True), cut(absorb(network, keep), keep), cut(network, keep)):
        version.stage2.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
        version(torch.randn(INPUT, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    expected, absorbed, ignored = (tensor[:, :, 1:-1, 1:-1] for tensor in maps)
    torch.testing.assert_close(absorbed, expected, rtol=1e-9, atol=1e-9)
    assert (ignored - expected).abs().max() > 0.1
    assert (maps[1] - maps[0])[:, :, 0].abs().max() > 1e-3  # there, zeros are what is beyond


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_what_is_absorbed_does_not_hang_on_the_stride_of_the_first_convolution(stride, trained):
    plain, strided = trained("vgg11", 0.1), build("vgg11", 5, 0.1, stem_stride=stride)
    strided.load_state_dict(plain.state_dict())
    keep = half_gone(plain)
    for one, other in zip(*(absorb(each, keep).state_dict().values() for each in (plain, strided)), strict=True):
        torch.testing.assert_close(one, other)


def test_absorbing_leaves_the_network_itself_alone(trained):
    network = trained("resnet11", 0.25).train()
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    absorbed = absorb(network, half_gone(network))
    assert absorbed.training
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())
    changed = {key for key, tensor in absorbed.state_dict().items() if not tensor.equal(state[key])}
    assert changed
    assert all(key.endswith("running_mean") or key == "head.bias" for key in changed)
    assert not any(module._forward_hooks for module in absorbed.modules())


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_nothing_to_absorb(name, trained):
    network = trained(name, 0.25).double()
    keep = {layer: torch.arange(width) for layer, width in widths_of(network).items()}
    state = absorb(network, keep).state_dict()
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())
