"""Costs against arithmetic from the papers' tables and against torch's own counter."""

from itertools import pairwise
from math import ceil

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from channel_sparsity import networks
from channel_sparsity.files import StudyError
from channel_sparsity.naming import NETWORKS, PAPER_NETWORKS, family
from channel_sparsity.networks.cost import channel_costs, cost, masked_parameters, output_areas

BANDS, FRAMES, CLASSES = 40, 401, 10
VGG = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512",
}
ROUNDED = {  # millions of parameters and of MACs
    "vgg11": (9.2, 2310),
    "vgg13": (9.4, 3491),
    "vgg16": (14.7, 4788),
    "vgg19": (20.0, 6086),
    "resnet11": (0.13, 315),
    "resnet20": (0.22, 525),
    "resnet29": (0.31, 736),
    "resnet38": (0.40, 946),
    "mobilenet0.25": (0.22, 52),
    "mobilenet0.50": (0.82, 194),
    "mobilenet0.75": (1.8, 426),
    "mobilenet1.00": (3.2, 749),
}


def vgg(name):
    parameters, macs, inputs, height, width = 0, 0, 1, BANDS, FRAMES
    for entry in VGG[name].split():
        if entry == "M":
            height, width = height // 2, width // 2
            continue
        outputs = int(entry)
        parameters += 9 * inputs * outputs + 2 * outputs
        macs += 9 * inputs * outputs * height * width
        inputs = outputs
    return parameters + (inputs + 1) * CLASSES, macs + inputs * CLASSES


def resnet(name):
    blocks, stream, height, width = (int(name.removeprefix("resnet")) - 2) // 9, 16, BANDS, FRAMES
    parameters, macs = 9 * 16, 9 * 16 * height * width
    for stage, planes in enumerate((16, 32, 64)):
        for block in range(blocks):
            inner = stream * planes
            if stage > 0 and block == 0:
                macs += inner * height * width  # before the stride
                height, width = ceil(height / 2), ceil(width / 2)
            else:
                macs += inner * height * width
            outer = 9 * planes**2 + 4 * planes**2 + (4 * planes * stream if block == 0 else 0)
            parameters += inner + outer + 2 * (stream + planes + planes)
            macs += outer * height * width
            stream = 4 * planes
    return parameters + 2 * stream + (stream + 1) * CLASSES, macs + stream * CLASSES


def mobilenet(name):
    multiplier = float(name.removeprefix("mobilenet"))
    widths = [int(multiplier * w) for w in (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
    height, width = BANDS, FRAMES
    parameters, macs = 11 * widths[0], 9 * widths[0] * height * width
    for block, (inputs, outputs) in enumerate(pairwise(widths), 1):
        if block in (2, 4, 6, 12):
            height, width = ceil(height / 2), ceil(width / 2)
        parameters += 11 * inputs + inputs * outputs + 2 * outputs
        macs += (9 * inputs + inputs * outputs) * height * width
    return parameters + (widths[-1] + 1) * CLASSES, macs + widths[-1] * CLASSES


def built(name, **settings):
    with torch.device("meta"):
        return networks.build(name, CLASSES, **settings)


@pytest.mark.parametrize("name", PAPER_NETWORKS)
def test_parameters_and_macs_by_arithmetic(name):
    found = cost(built(name), BANDS, FRAMES)
    expected = {"vgg": vgg, "resnet": resnet, "mobilenet": mobilenet}[family(name)](name)
    assert (found.parameters, found.macs) == expected
    millions, megamacs = ROUNDED[name]
    assert found.parameters / 1e6 == pytest.approx(millions, abs=0.5 * 10 ** -(1 if millions > 1 else 2))
    assert round(found.macs / 1e6) == megamacs


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_a_cut_network_as_torch_counts_them(name):
    widths = {layer: 3 + n % 4 for n, layer in enumerate(networks.widths_of(built(name)))}
    network = built(name, widths=widths).eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 1, 40, 101, device="meta"))
    assert 2 * cost(network, 40, 101).macs == counter.get_total_flops()


def test_a_network_is_left_as_it_was():
    network = networks.build("mobilenet0.25", 3)
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    random = torch.random.get_rng_state()
    cost(network, 40, 51)
    assert network.training
    assert torch.random.get_rng_state().equal(random)
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())


def test_output_areas():
    areas = output_areas(built("vgg16"), 40, 401)
    assert areas["stage1.1.norm"] == 40 * 401
    assert areas["stage5.2.conv"] == 2 * 25
    assert areas["head"] == 1


def test_an_input_that_is_too_small_is_named():
    with pytest.raises(StudyError, match="VGG cannot take clips of 8 bands x 401 frames"):
        cost(built("vgg11"), 8, 401)


@pytest.mark.parametrize("name", ["vgg11", "resnet20", "mobilenet0.25"])
def test_masked_parameters_are_those_that_a_mask_leaves(name):
    network = networks.build(name, 10, 0.25)
    widths = {layer: 1 + (5 * n) % width for n, (layer, width) in enumerate(networks.widths_of(network).items())}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
        for channels in network.channels:
            for module in (*channels.norms, *channels.producers, *channels.carriers):
                for parameter in network.get_submodule(module).parameters():
                    parameter[widths[channels.name] :] = 0
    left = sum(parameter.count_nonzero().item() for parameter in network.parameters())
    assert masked_parameters(network, widths) == left
    assert masked_parameters(network, networks.widths_of(network)) == cost(network, 40, 51).parameters


def test_a_channel_of_vgg16_costs_this_by_hand():
    """Ye et al.'s Eq. 2 on 40 x 401: (k^2 inputs + next k^2 outputs + area of its map) / area of the input."""
    # Maps are 40 x 401, halved and rounded down four times; the head reads one weight for each of 10 classes.
    expected = {
        "stage1.0": 9 * 1 + 9 * 64 + 40 * 401,
        "stage1.1": 9 * 64 + 9 * 128 + 40 * 401,
        "stage2.0": 9 * 64 + 9 * 128 + 20 * 200,
        "stage2.1": 9 * 128 + 9 * 256 + 20 * 200,
        "stage3.0": 9 * 128 + 9 * 256 + 10 * 100,
        "stage3.1": 9 * 256 + 9 * 256 + 10 * 100,
        "stage3.2": 9 * 256 + 9 * 512 + 10 * 100,
        "stage4.0": 9 * 256 + 9 * 512 + 5 * 50,
        "stage4.1": 9 * 512 + 9 * 512 + 5 * 50,
        "stage4.2": 9 * 512 + 9 * 512 + 5 * 50,
        "stage5.0": 9 * 512 + 9 * 512 + 2 * 25,
        "stage5.1": 9 * 512 + 9 * 512 + 2 * 25,
        "stage5.2": 9 * 512 + 1 * 10 + 2 * 25,
    }
    # The first: (9 + 576 + 16,040) / 16,040; the last: (4,608 + 10 + 50) / 16,040.
    assert expected["stage1.0"] / 16_040 == pytest.approx(1.03647, abs=5e-6)
    assert expected["stage5.2"] / 16_040 == pytest.approx(0.29102, abs=5e-6)
    with torch.device("meta"):
        found = channel_costs(networks.build("vgg16", 10), BANDS, FRAMES)
    assert list(found) == [f"{layer}.norm" for layer in expected]
    assert list(found.values()) == pytest.approx([values / (40 * 401) for values in expected.values()], rel=1e-12)


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
def test_a_channel_of_the_other_families_costs_this_by_hand(name, norm, values):
    with torch.device("meta"):
        network = networks.build(name, 10)
    assert channel_costs(network, BANDS, FRAMES)[norm] == pytest.approx(values / (40 * 401), rel=1e-12)
