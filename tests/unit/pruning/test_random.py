"""Scores of the control."""

import torch
from contexts_for_tests import context

from channel_sparsity.networks import build, widths_of
from channel_sparsity.pruning.methods.random import scores


def flat(found):
    return torch.cat(list(found.values()))


def test_only_the_seed_and_the_step_decide_and_no_gamma():
    one, other = build("mobilenet0.25", 10), build("mobilenet0.25", 10)
    other.stem_norm.weight.data.zero_()
    assert flat(scores(one, context(seed=1))).equal(flat(scores(other, context(seed=1))))
    for another in (context(seed=2), context(seed=1, step=2)):
        assert not flat(scores(one, context(seed=1))).equal(flat(scores(one, another)))


def test_scores_are_uniform_over_the_channels():
    network = build("vgg11", 10)
    found = scores(network, context(seed=3))
    assert {name: len(values) for name, values in found.items()} == widths_of(network)
    deciles = torch.histc(flat(found), 10, 0, 1) / 2752
    assert (deciles - 0.1).abs().max() < 0.025  # more than four standard errors


def test_the_global_generator_is_left_alone():
    network = build("vgg11", 10, 0.125)
    before = torch.random.get_rng_state()
    scores(network, context(seed=3))
    assert torch.random.get_rng_state().equal(before)
