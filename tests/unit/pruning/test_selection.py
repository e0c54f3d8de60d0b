"""The exact count, no emptied layer, the weakest first: against brute force on small cases."""

from itertools import product

import torch
from hypothesis import given
from hypothesis import strategies as st

from channel_sparsity.networks import build
from channel_sparsity.pruning.selection import choose, sizes_of

SETS = st.lists(
    st.tuples(st.lists(st.integers(-3, 3), min_size=1, max_size=5), st.sampled_from([1, 2])),
    min_size=1,
    max_size=4,
)
"""Scores, with many ties, and sizes of a few small sets of channels."""


def case(sets):
    scores = {f"layer{n}": torch.tensor(values, dtype=torch.float32) for n, (values, _) in enumerate(sets)}
    return scores, {f"layer{n}": size for n, (_, size) in enumerate(sets)}


def removed(scores, keep):
    """(score, layer number, index, name) of every channel that went; their order is that of removal."""
    return {
        (values[index].item(), layer, index, name)
        for layer, (name, values) in enumerate(scores.items())
        for index in range(len(values))
        if index not in keep[name].tolist()
    }


@given(SETS, st.integers(-1, 40))
def test_the_largest_reachable_count_not_over_the_target(sets, count):
    scores, sizes = case(sets)
    gone = sum(sizes[name] for *_, name in removed(scores, choose(scores, sizes, count)))
    reachable = {
        sum(channels * size for channels, (_, size) in zip(numbers, sets, strict=True))
        for numbers in product(*(range(len(values)) for values, _ in sets))
    }
    assert gone == max((total for total in reachable if total <= count), default=0)


@given(SETS, st.integers(0, 40))
def test_every_layer_keeps_its_strongest(sets, count):
    scores, sizes = case(sets)
    for name, kept in choose(scores, sizes, count).items():
        assert scores[name][kept].max() == scores[name].max()
        assert kept.dtype == torch.int64
        assert kept.tolist() == sorted(set(kept.tolist()))


@given(SETS, st.integers(0, 40))
def test_the_weakest_go_first(sets, count):
    """Of two that may go the weaker does; at most one is out of turn, for an odd count among pairs."""
    scores, sizes = case(sets)
    gone = removed(scores, choose(scores, sizes, count))
    may_go = removed(scores, {name: values.argsort(stable=True)[-1:] for name, values in scores.items()})
    assert gone <= may_go
    too_early = [channel for channel in gone if channel > min(may_go - gone, default=channel)]
    too_late = [channel for channel in may_go - gone if channel < max(gone, default=channel)]
    assert min(len(too_early), len(too_late)) <= (1 if set(sizes.values()) == {1, 2} else 0)
    for size in (1, 2):
        alike = sorted(channel for channel in may_go if sizes[channel[-1]] == size)
        went = [channel in gone for channel in alike]
        assert went == sorted(went, reverse=True)


@given(SETS, st.integers(0, 40), st.integers(0, 40))
def test_single_gammas_are_nested(sets, one, other):
    scores, _ = case(sets)
    sizes = dict.fromkeys(scores, 1)
    fewer, more = sorted((one, other))
    assert removed(scores, choose(scores, sizes, fewer)) <= removed(scores, choose(scores, sizes, more))


def test_by_hand():
    scores = {"a": torch.tensor([0.1, 0.9, 0.2]), "b": torch.tensor([0.3, 0.05]), "c": torch.tensor([0.01])}
    keep = choose(scores, dict.fromkeys(scores, 1), 2)
    assert {name: kept.tolist() for name, kept in keep.items()} == {"a": [1, 2], "b": [0], "c": [0]}


def test_a_pair_makes_room_where_only_that_reaches_the_count():
    scores = {"single": torch.tensor([1.0, 9.0]), "pair": torch.tensor([2.0, 3.0, 9.0])}
    keep = choose(scores, {"single": 1, "pair": 2}, 4)
    assert {name: kept.tolist() for name, kept in keep.items()} == {"single": [0, 1], "pair": [2]}


def test_sizes_count_the_gammas_of_a_channel():
    assert set(sizes_of(build("vgg11", 10, 0.125)).values()) == {1}
    assert list(sizes_of(build("mobilenet0.25", 10)).values()) == [2] * 13 + [1]
