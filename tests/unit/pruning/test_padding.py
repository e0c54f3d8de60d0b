"""A padded network against the network that it is a copy of."""

import copy
from dataclasses import replace

import numpy
import pytest
import torch
from contexts_for_tests import context
from settings_for_tests import SHORT

from channel_sparsity.naming import NETWORKS, family
from channel_sparsity.networks import build, widths_of
from channel_sparsity.pruning.methods.slimming import scores
from channel_sparsity.pruning.padding import MULTIPLE, padded, trimmed
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut
from channel_sparsity.training.augmentation import Augmentation
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty

SCALE = {"vgg": 0.125, "resnet": 0.5, "mobilenet": 0.5}
BANDS, FRAMES = 16, 24
SETTINGS = replace(
    SHORT,
    batch_size=6,
    learning_rate=0.01,
    weight_decay=1e-3,
    decay_factor=1.0,
    clip_gammas=0.5,
    clip_norm=10.0,
    augmentation=Augmentation(0.4, 2, 0.1),
)


@pytest.fixture
def cut_network(trained):
    def make(name, count):
        network = trained(name, SCALE.get(family(name), 0.5))
        return cut(network, choose(scores(network, context()), sizes_of(network), count))

    return make


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [5, 101])
@torch.no_grad()
def test_it_computes_the_same_and_can_be_trimmed(name, count, cut_network):
    network, x = cut_network(name, count), torch.randn(2, 1, BANDS, FRAMES)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    larger = padded(network)
    assert all(width % MULTIPLE == 0 for width in widths_of(larger).values())
    difference = (larger(x) - network(x)).abs().max()
    assert difference <= 1e-5 * network(x).abs().max()
    after, back = network.state_dict(), trimmed(larger, network)
    assert widths_of(back) == widths_of(network)
    assert all(tensor.equal(after[key]) and tensor.equal(back.state_dict()[key]) for key, tensor in before.items())


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_on_a_gpu_a_depthwise_layer_has_four_widths_along_a_curve_and_others_all(name, trained, monkeypatch):
    """On a CPU nothing depends on what a network was cut from."""
    network, x = trained(name, SCALE.get(family(name), 0.5)).eval(), torch.randn(2, 1, BANDS, FRAMES)
    whole, seen, ranked = widths_of(network), {}, scores(network, context())
    total = sum(len(values) * sizes_of(network)[layer] for layer, values in ranked.items())
    for count in range(0, total, total // 12):
        smaller = cut(network, choose(ranked, sizes_of(network), count))
        here = padded(smaller, network)
        assert widths_of(here) == widths_of(padded(smaller))
        with monkeypatch.context() as patch:
            patch.setattr("channel_sparsity.pruning.padding.IN_QUARTERS", ("cpu",))
            there = padded(smaller, network)
            assert widths_of(padded(network)) == widths_of(there) or count
        assert (there(x) - smaller(x)).abs().max() <= 1e-5 * smaller(x).abs().max()
        assert widths_of(trimmed(there, smaller)) == widths_of(smaller)
        for channels in network.channels:
            width = widths_of(there)[channels.name]
            if not channels.carriers:
                assert width == widths_of(here)[channels.name]
            else:
                seen.setdefault(channels.name, set()).add(width)
                assert widths_of(here)[channels.name] <= width <= -(-whole[channels.name] // MULTIPLE) * MULTIPLE
    assert all(len(widths) <= 4 for widths in seen.values()) and bool(seen) == (family(name) == "mobilenet")


@pytest.mark.parametrize(
    ("name", "quarters"),
    [("vgg11", ()), ("resnet11", ()), ("mobilenet0.25", ()), ("mobilenet0.25", ("cpu",))],
)
@pytest.mark.parametrize("kind", ["none", "subgradient", "ista"])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_it_learns_the_same_and_what_was_added_stays_dead(name, kind, optimiser, quarters, cut_network, monkeypatch):
    monkeypatch.setattr("channel_sparsity.pruning.padding.IN_QUARTERS", quarters)
    rng = numpy.random.default_rng(0)
    logmel, labels = rng.normal(size=(12, BANDS, FRAMES)), rng.integers(0, 5, 12)
    train = Subset.of(logmel, numpy.arange(12), labels, [0.0] * BANDS, [1.0] * BANDS)
    plain = cut_network(name, 101).double()
    unpruned = build(name, 5, SCALE[family(name)])
    larger, original = padded(plain, unpruned), copy.deepcopy(plain)
    penalty = Penalty(kind, 0.01).priced_by(original, BANDS, FRAMES)
    settings = replace(SETTINGS, optimiser=optimiser)
    for network in (plain, larger):
        for _ in fit(network, train, settings, penalty, seed=1, purpose=("test",)):
            pass

    assert not plain.head.weight.equal(original.head.weight)
    learned = trimmed(larger, original).state_dict()
    for key, tensor in plain.state_dict().items():
        torch.testing.assert_close(learned[key], tensor, rtol=1e-6, atol=1e-8)
    again = padded(trimmed(larger, original), unpruned)  # in which what was added is zero
    for name, parameter in again.named_parameters():
        assert parameter.equal(larger.get_parameter(name))
