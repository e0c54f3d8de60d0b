"""Channels, widths, initialisation and declarations of the twelve networks."""

import re
from math import sqrt

import pytest
import torch
from torch import nn

from channel_sparsity import networks
from channel_sparsity.files import StudyError
from channel_sparsity.naming import NETWORKS, family
from channel_sparsity.networks.mobilenet import MobileNet

CHANNELS = {
    # Convolutions by hand, from Network Slimming's and MobileNet's tables.
    "vgg11": 64 + 128 + 2 * 256 + 4 * 512,
    "vgg13": 2 * 64 + 2 * 128 + 2 * 256 + 4 * 512,
    "vgg16": 4224,
    "vgg19": 2 * 64 + 2 * 128 + 4 * 256 + 8 * 512,
    "resnet11": 688,
    "resnet20": 1360,
    "resnet29": 2032,
    "resnet38": 2704,
    # Twice each pointwise width that a depthwise layer follows, once the last.
    "mobilenet1.00": 2 * (32 + 64 + 2 * 128 + 2 * 256 + 6 * 512 + 1024) + 1024,
}


def small(name, classes=10):
    return networks.build(name, classes, 0.5 if family(name) == "resnet" else 0.125)


@pytest.mark.parametrize("name", CHANNELS)
def test_prunable_gammas_are_counted_as_in_the_papers(name):
    with torch.device("meta"):
        network = networks.build(name, 10)
    assert sum(len(gamma) for gamma in networks.gammas_of(network).values()) == CHANNELS[name]


@pytest.mark.parametrize("multiplier", ["0.25", "0.50", "0.75"])
def test_mobilenet_widths_follow_the_multiplier(multiplier):
    with torch.device("meta"):
        narrow, full = (networks.build(f"mobilenet{which}", 10) for which in (multiplier, "1.00"))
    widths = networks.widths_of(full)
    assert networks.widths_of(narrow) == {name: width * float(multiplier) for name, width in widths.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_normalisation_is_declared_once_in_the_order_of_computation(name):
    network, met = small(name).eval(), []
    for module_name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda *_, name=module_name: met.append(name))
    network(torch.zeros(1, 1, 16, 16))
    assert list(networks.gammas_of(network)) == met
    assert all(gamma is network.get_submodule(norm).weight for norm, gamma in networks.gammas_of(network).items())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(40, 51), (16, 17)])
def test_logits_for_clips_of_any_length(name, shape):
    network = small(name, classes=7)
    x = torch.randn(2, 1, *shape)
    before = x.clone()
    logits = network(x)
    assert logits.shape == (2, 7) and logits.isfinite().all()
    assert x.equal(before)


@pytest.mark.parametrize("name", NETWORKS)
def test_initialisation(name):
    torch.manual_seed(0)
    network = networks.build(name, 10, 0.5)
    assert all((gamma == 0.5).all() for gamma in networks.gammas_of(network).values())
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is None
            # An input value reaches this many outputs: count them with a convolution of ones.
            inputs, side = module.in_channels, 31
            x = torch.zeros(1, inputs, side, side)
            x[0, 0, side // 2, side // 2] = 1
            weight = torch.ones_like(module.weight)
            reached = nn.functional.conv2d(x, weight, padding=module.padding, groups=module.groups).count_nonzero()
            spread = sqrt(2 / reached.item())
            tolerance = 5 * spread / sqrt(2 * weight.numel())
            assert abs(module.weight.square().mean().sqrt().item() - spread) < tolerance
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.bias == 0).all()
    bound = network.head.in_features**-0.5
    assert 0.8 * bound < network.head.weight.abs().max() <= bound


@pytest.mark.parametrize("name", NETWORKS)
def test_no_layer_is_scaled_to_nothing(name):
    assert min(networks.widths_of(networks.build(name, 10, 0.01)).values()) == 8


def test_width_scale_acts_on_the_residual_stream_too():
    network = networks.build("resnet11", 10, 0.5)
    assert network.stem.out_channels == 8
    assert network.head.in_features == 128


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_built_from_its_widths(name):
    widths = {layer: 1 + n % 5 for n, layer in enumerate(networks.widths_of(small(name)))}
    network = networks.build(name, 10, widths=widths)
    assert networks.widths_of(network) == widths
    assert network(torch.randn(2, 1, 16, 16)).shape == (2, 10)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_widths_of_another_network_are_refused(name):
    widths = networks.widths_of(small(name))
    layer, *_ = widths
    with pytest.raises(StudyError, match="layers that"):
        networks.build(name, 10, widths=widths | {"other.norm": 8})
    with pytest.raises(StudyError, match=f"no `{re.escape(layer)}`"):
        networks.build(name, 10, widths={key: width for key, width in widths.items() if key != layer})


@pytest.mark.parametrize(("stride", "rows"), [(1, 3), (2, 2)])
def test_total_stride_of_mobilenet(stride, rows):
    network, shapes = MobileNet(0.25, 10, stem_stride=stride), []
    network.block13.register_forward_hook(lambda _module, _inputs, output: shapes.append(output.shape))
    network(torch.randn(2, 1, 40, 101))
    assert shapes[0][2:] == (rows, (101 - 1) // (16 * stride) + 1)
    assert network.resized(networks.widths_of(network)).stem.stride == (stride, stride)


@torch.no_grad()
def test_a_bottleneck_adds_to_a_stream_that_is_not_activated():
    """Without its branch a block is the identity, or where the shape changes a convolution."""
    first, second = networks.build("resnet20", 10, 0.5).stage2
    x, narrow = torch.randn(2, 64, 6, 7), torch.randn(2, 32, 6, 7)
    first.conv3.weight.zero_()
    second.conv3.weight.zero_()
    assert second(x).equal(x)
    torch.testing.assert_close(first(narrow), nn.functional.conv2d(narrow, first.shortcut.weight, stride=2))


@pytest.mark.parametrize(("name", "stem"), [("vgg11", "stage1.0"), ("resnet11", "stem"), ("mobilenet0.25", "stem")])
def test_a_stride_of_the_first_convolution_halves_all_maps_and_changes_no_weight(name, stem):
    """Also of a cut network, and where it is cut again."""
    plain = small(name)
    strided = networks.build(name, 10, 0.5 if family(name) == "resnet" else 0.125, stem_stride=2)
    widths = dict.fromkeys(networks.widths_of(plain), 3)
    for network, rows in ((plain, 32), (strided, 16), (strided.resized(widths), 16)):
        shapes = []
        network.get_submodule(stem).register_forward_hook(lambda _m, _i, out, shapes=shapes: shapes.append(out.shape))
        network.eval()(torch.randn(1, 1, 32, 32))
        assert shapes[0][2:] == (rows, rows)
    ours, theirs = strided.state_dict(), plain.state_dict()
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in theirs.items()}
    assert [m.stride for m in strided.modules() if isinstance(m, nn.Conv2d)][1:] == [
        m.stride for m in plain.modules() if isinstance(m, nn.Conv2d)
    ][1:]
