"""What is wrong with a declaration of channels is said in one sentence, with the network's file."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build
from channel_sparsity.networks.declaration import check


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"consumers": ("stage2.0.cov",)}, "the consumers of the channels `stage1.0.norm` name `stage2.0.cov`, which"),
        ({"norms": ("stage1.0.conv",)}, "name `stage1.0.conv`, a Conv2d, but need a BatchNorm2d"),
        ({"producers": ("head",)}, "name `head`, a Linear, but need a Conv2d or Select"),
        ({"consumers": ("stage3.1.conv",)}, "the channels `stage1.0.norm` are 16, but `stage3.1.conv` has 64 of them"),
        ({"norms": ("stage1.0.norm", "stage2.0.norm")}, "are 16, but `stage2.0.norm` has 32 of them"),
        ({"carriers": ("stage1.0.conv",)}, "`stage1.0.norm` need one of `norms`, or two and one of `carriers`"),
        ({"consumers": ()}, "makes `stage2.0.conv.weight` [1, 1, 3, 3], but the `channels` leave [1, 16, 3, 3] of it"),
    ],
)
def test_a_wrong_name_or_width_is_named(change, expected):
    network = build("vgg11", 3, 0.25)
    network.channels = (replace(network.channels[0], **change), *network.channels[1:])
    with pytest.raises(StudyError) as caught:
        check(network, "networks/vgg.py")
    assert str(caught.value).startswith("networks/vgg.py: ") and expected in str(caught.value)


def test_a_normalisation_is_declared_once():
    network = build("vgg11", 3, 0.25)
    declared = network.channels
    for channels, times in ((declared[1:], "none"), ((*declared, declared[0]), "more than one")):
        network.channels = channels
        with pytest.raises(StudyError, match=rf"`stage1.0.norm` belongs to {times} of the `channels`"):
            check(network, "networks/vgg.py")


def test_widths_that_are_not_taken_are_named(monkeypatch):
    network, other = build("vgg11", 3, 0.25), build("vgg11", 3, 0.25)
    monkeypatch.setattr(type(network), "resized", lambda self, widths: other)
    with pytest.raises(StudyError, match=r"makes `stage1.0.conv.weight` \[16, 1, 3, 3\], but .* \[1, 1, 3, 3\]"):
        check(network, "networks/vgg.py")


@pytest.mark.parametrize(
    ("place", "module", "expected"),
    [
        ("stage2.0.conv", nn.Conv2d(16, 32, 3, padding=1, groups=2, bias=False), "but `stage2.0.conv` has 8 of them"),
        ("stage1.0.norm", nn.BatchNorm2d(16, affine=False), "`stage1.0.norm` needs `affine` and"),
        ("stage1.0.norm", nn.BatchNorm2d(16, track_running_stats=False), "and `track_running_stats`"),
        ("head", nn.Linear(128, 3, bias=False), "`head` needs to be a Linear with a bias"),
    ],
)
def test_a_module_that_cannot_be_pruned_is_named(place, module, expected):
    network = build("vgg11", 3, 0.25)
    network.set_submodule(place, module)
    with pytest.raises(StudyError, match=expected):
        check(network, "networks/vgg.py")


def test_what_the_channels_pass_through_undeclared_is_named():
    """Weights of a channel that surgery would not know of, found before anything is trained."""
    network = build("mobilenet0.25", 3)
    network.channels = (replace(network.channels[0], carriers=(), norms=("stem_norm",)), *network.channels[1:])
    network.block1.depthwise_norm = nn.Identity()
    with pytest.raises(StudyError, match=r"makes `block1.depthwise.weight` \[1, .* leave \[8, .* of it: declare all"):
        check(network, "networks/mobilenet.py")


def test_a_network_without_a_file_is_named():
    with pytest.raises(StudyError, match=r"no network absent4: networks/absent.py, which would build it, is missing"):
        build("absent4", 3)


@pytest.mark.parametrize("name", ["vgg12", "vgg", "resnet12", "resnet2", "resnet"])
def test_a_depth_that_there_is_not_is_named(name):
    with pytest.raises(StudyError, match=rf"there is no network {name}: the depth is"):
        build(name, 3)


def test_a_check_draws_no_random_number():
    network = build("resnet11", 3, 0.25)
    before = torch.random.get_rng_state()
    check(network, "networks/resnet.py")
    assert torch.random.get_rng_state().equal(before)
