"""The pruning curve: its steps, its seeds, and what each recipe of fine-tuning goes on from."""

import itertools
from dataclasses import replace

import numpy
import pytest
import torch
from contexts_for_tests import context
from recipes_for_tests import SHORT

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.pruning.context import Context
from channel_sparsity.pruning.curve import Finetuning, Schedule, finetune, trace
from channel_sparsity.pruning.methods import Method, ista, method_of, random, slimming
from channel_sparsity.pruning.traced import Traced
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import Diverged, accuracy, predict
from channel_sparsity.training.penalty import Penalty

RECIPE = replace(SHORT, epochs=1, learning_rate=0.02)
FINETUNING = Finetuning(RECIPE, Penalty("none", 1e-3))
STEPS = Schedule(step=0.2, step_of="original", highest_rate=0.8, finetuning="each")


@pytest.fixture
def clips():
    """20 clips of two classes that differ in level, 8 of them for validation."""
    torch.set_num_threads(1)
    draw = numpy.random.default_rng(1)
    labels = numpy.arange(20) % 2
    logmel = (draw.normal(-40, 5, (20, 40, 32)) + 6 * labels[:, None, None]).astype(numpy.float32)
    return tuple(
        Subset.of(logmel, rows, labels[rows], numpy.full(40, -37.0), numpy.full(40, 6.0))
        for rows in (numpy.arange(12), numpy.arange(12, 20))
    )


@pytest.fixture
def network():
    """A VGG whose gammas are all different."""
    torch.manual_seed(1)
    network = build("vgg11", 2, 0.05)
    for gamma in gammas_of(network).values():
        torch.nn.init.uniform_(gamma, 0.1, 1)
    return network


SLIMMING = Method(slimming.scores, context(32))
ISTA = Method(ista.scores, context(32), absorbs=True)
RANDOM = Method(random.scores, context(32))


def traced(network, clips, method=SLIMMING, schedule=STEPS, seed=1):
    return list(trace(network, method, schedule, FINETUNING, *clips, seed=seed, name="vgg11"))


def test_five_percent_of_the_original_channels_makes_19_steps():
    schedule = Schedule(0.05, "original", 0.95, "each")
    assert schedule.counts(2752) == [round(0.05 * k * 2752) for k in range(1, 20)]


def test_a_share_of_the_remaining_channels_shrinks():
    counts = Schedule(0.1, "remaining", 0.5, "each").counts(1000)
    assert counts == [100, 190, 271, 344, 410, 469]


def test_each_row_says_what_its_network_is(network, clips):
    steps = traced(network, clips)
    total = sum(map(len, gammas_of(network).values()))
    start = accuracy(predict(network, clips[1]), clips[1])
    assert [step.step for step in steps] == [0, 1, 2, 3, 4]
    assert steps[0].network is network and steps[0].accuracy_loss == steps[0].channel_rate == 0
    for step in steps:
        left = sum(map(len, gammas_of(step.network).values()))
        assert step.channels_removed == total - left == round(0.2 * step.step * total)
        assert step.parameters == sum(p.numel() for p in step.network.parameters())
        assert step.parameter_rate == pytest.approx(1 - step.parameters / steps[0].parameters)
        assert step.accuracy == accuracy(predict(step.network, clips[1]), clips[1])
        assert step.accuracy_loss == start - step.accuracy
        assert 0 <= step.masked_rate <= step.parameter_rate, "masks leave what reads a channel"
    assert all(later.macs < earlier.macs for earlier, later in itertools.pairwise(steps))
    traced_steps = Traced()
    for step in steps:
        traced_steps.add(step)
    table = traced_steps.tables()["widths"].query("step == 4")
    assert table["layer"].tolist() == list(widths_of(network))
    assert table["channels"].sum() == total - steps[-1].channels_removed


def test_without_finetuning_the_strongest_channels_of_the_trained_network_are_left(network, clips):
    steps = traced(network, clips, schedule=replace(STEPS, finetuning="none"))
    before = torch.cat([gamma.detach() for gamma in gammas_of(network).values()])
    after = torch.cat([gamma.detach() for gamma in gammas_of(steps[2].network).values()])
    assert set(after.tolist()) <= set(before.tolist())
    spared = len([1 for width in widths_of(steps[2].network).values() if width == 1])
    assert (after < before.sort().values[steps[2].channels_removed]).sum() <= spared
    assert [step.accuracy_before_finetuning for step in steps] == [step.accuracy for step in steps]


def test_once_cuts_the_trained_network_each_goes_on_from_the_last_step(network, clips):
    """Before any fine-tuning both are the same; `once` then cuts to the widths that no fine-tuning decided."""
    each, once, none = (traced(network, clips, schedule=replace(STEPS, finetuning=f)) for f in ("each", "once", "none"))
    assert each[1].accuracy == once[1].accuracy
    assert widths_of(each[1].network) == widths_of(once[1].network)
    for cut_once, untouched in zip(once, none, strict=True):
        assert widths_of(cut_once.network) == widths_of(untouched.network)
        assert cut_once.accuracy_before_finetuning == untouched.accuracy
    weight = "stage1.0.conv.weight"
    assert not torch.equal(each[2].network.get_parameter(weight), once[2].network.get_parameter(weight))


def test_the_trained_network_is_left_as_it_was(network, clips):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for method in (SLIMMING, RANDOM, Method(ista.scores, context(32), absorbs=True, shrinks=True)):
        traced(network, clips, method)
    for kind in ("none", "subgradient", "proximal", "ista"):
        finetune(network, Finetuning(RECIPE, Penalty(kind, 1e-3), 0.5), clips[0], seed=1, purpose=())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_a_curve_depends_on_its_seed_and_not_on_what_ran_before(network, clips):
    first = traced(network, clips)
    torch.rand(5)
    again = traced(network, clips)
    other = traced(network, clips, seed=2)
    assert torch.equal(first[-1].log_probabilities, again[-1].log_probabilities)
    assert not torch.equal(first[-1].log_probabilities, other[-1].log_probabilities)


def test_the_curve_ends_where_every_layer_is_down_to_one_channel(network, clips):
    schedule = Schedule(0.2, "original", 0.999, "none")
    steps = traced(network, clips, schedule=replace(schedule, step=0.095))
    assert set(widths_of(steps[-1].network).values()) == {1}
    assert steps[-1].channels_removed > steps[-2].channels_removed


def test_a_curve_whose_finetuning_diverges_ends_there_and_says_where(network, clips):
    diverging = replace(FINETUNING, recipe=replace(RECIPE, learning_rate=1e30))
    steps = trace(network, SLIMMING, STEPS, diverging, *clips, seed=1, name="vgg11")
    assert next(steps).step == 0
    with pytest.raises(Diverged, match="in fine-tuning of step 1, the training loss was "):
        next(steps)


def test_penalties_that_do_nothing_finetune_to_the_same_bits(network, clips):
    """None, and any at lambda 0, so that recipes differ at lambda 0 in which channels go and in nothing else."""
    penalties = [Penalty("none", 1e-3), *(Penalty(kind, 0.0) for kind in ("subgradient", "proximal", "ista"))]
    one, *others = (
        finetune(network, Finetuning(RECIPE, penalty), clips[0], seed=1, purpose=("p",)).state_dict()
        for penalty in penalties
    )
    for other in others:
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_rescaling_acts_while_finetuning_lasts(network, clips):
    """With gammas a tenth as large, thresholds take more of them; with nothing learnt, nothing changes."""
    idle = replace(FINETUNING, recipe=replace(RECIPE, learning_rate=1e-30), rescaling=0.25)
    tuned = finetune(network, idle, clips[0], seed=1, purpose=())
    for norm, gamma in gammas_of(network).items():
        torch.testing.assert_close(gammas_of(tuned)[norm], gamma)
    sums = []
    for rescaling in (1.0, 0.5):
        tuned = finetune(network, Finetuning(RECIPE, Penalty("ista", 0.05), rescaling), clips[0], seed=1, purpose=())
        sums.append(sum(gamma.abs().sum().item() for gamma in gammas_of(tuned).values()))
    assert sums[1] < sums[0]


def test_recalibration_leaves_statistics_of_all_training_clips_and_nothing_else_of_it(network, clips):
    plain, anew = (
        finetune(network, replace(FINETUNING, recalibrate=chosen), clips[0], seed=1, purpose=())
        for chosen in (False, True)
    )
    assert all(torch.equal(*pair) for pair in zip(plain.parameters(), anew.parameters(), strict=True))
    features = clips[0].batch(torch.arange(12))[0]
    name, first = next((name, m) for name, m in anew.named_modules() if isinstance(m, torch.nn.BatchNorm2d))
    maps = anew.get_submodule(name.replace("norm", "conv"))(features)
    torch.testing.assert_close(first.running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(first.running_var, maps.var((0, 2, 3)))
    assert first.momentum == plain.get_submodule(name).momentum
    assert not torch.equal(first.running_mean, plain.get_submodule(name).running_mean)


@pytest.mark.parametrize("name", ["resnet11", "mobilenet0.25"])
@pytest.mark.parametrize("method", [SLIMMING, ISTA, RANDOM])
def test_every_family_and_method_takes_the_target_or_one_less_of_a_pair(name, method, clips):
    torch.manual_seed(1)
    whole = build(name, 2, 0.25)
    schedule = Schedule(0.15, "original", 0.9, "none")
    steps = list(trace(whole, method, schedule, FINETUNING, *clips, seed=1, name=name))
    total = sum(map(len, gammas_of(whole).values()))
    missed = [count - step.channels_removed for count, step in zip([0, *schedule.counts(total)], steps, strict=True)]
    assert set(missed) <= ({0, 1} if name == "mobilenet0.25" else {0})


def test_the_random_order_is_the_same_for_every_lambda_and_another_at_each_step(network):
    sparser = build("vgg11", 2, 0.05)
    one, same = random.scores(network, context()), random.scores(sparser, context())
    assert all(torch.equal(one[name], same[name]) for name in one)
    name = next(iter(one))
    assert not torch.equal(one[name], random.scores(network, context(step=2))[name])
    assert not torch.equal(one[name], random.scores(network, context(seed=2))[name])


@pytest.mark.parametrize("kind", ["subgradient", "proximal", "ista"])
def test_a_penalty_makes_gammas_smaller_while_it_finetunes(kind, network, clips):
    def total(lam):
        tuned = finetune(network, Finetuning(RECIPE, Penalty(kind, lam)), clips[0], seed=1, purpose=())
        return sum(gamma.abs().sum().item() for gamma in gammas_of(tuned).values())

    assert total(1e-2) < total(0.0)


@pytest.mark.parametrize("method", [slimming, random, ista])
def test_a_recipe_names_its_method(method):
    recipe = {"method": method.__name__.rsplit(".", 1)[-1], "absorb": True, "shrink_survivors": False}
    made = method_of(recipe, name="vgg11", seed=3, bands=40, frames=401)
    assert made == Method(method.scores, Context(recipe, "vgg11", 3, 40, 401), absorbs=True, shrinks=False)


def test_a_method_that_does_not_score_every_channel_is_named(network):
    def all_but_one(network, context):
        return {name: values[1:] for name, values in slimming.scores(network, context).items()}

    def infinite(network, context):
        return {name: values / 0 for name, values in slimming.scores(network, context).items()}

    def backwards(network, context):
        return dict(reversed(slimming.scores(network, context).items()))

    width = widths_of(network)["stage1.0.norm"]
    for scores in (all_but_one, infinite):
        with pytest.raises(StudyError, match=rf"test_curve has to give `stage1.0.norm` {width} finite scores"):
            Method(scores, context()).prune(network, 1, 1)
    with pytest.raises(StudyError, match=r"other sets of channels than stage1.0.norm"):
        Method(backwards, context()).prune(network, 1, 1)
