"""The pruning curve: its steps, its seeds, and what each recipe of fine-tuning goes on from."""

import copy
import itertools
from dataclasses import replace
from pathlib import Path

import contexts_for_tests
import pytest
import torch
import yaml
from contexts_for_tests import context
from settings_for_tests import SHORT

from channel_sparsity.configuration import recipe_of
from channel_sparsity.files import StudyError
from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.pruning.context import Context
from channel_sparsity.pruning.curve import Finetuning, Plan, Schedule, finetune, plan_of, remake, trace
from channel_sparsity.pruning.methods import Method, ista, method_of, random, slimming, taylor
from channel_sparsity.pruning.traced import Traced
from channel_sparsity.training.fit import Diverged, accuracy, predict
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.recalibration import recalibrate
from channel_sparsity.training.settings import finetuning_settings

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text(encoding="utf-8"))
SETTINGS = replace(SHORT, epochs=1, learning_rate=0.02)
FINETUNING = Finetuning(SETTINGS, Penalty("none", 1e-3))
CUT = replace(FINETUNING, settings=None)
STATISTICS = replace(CUT, recalibrate=True)
STEPS = Schedule(step=0.2, step_of="original", highest_rate=0.8, from_trained=False)
ONCE = replace(STEPS, from_trained=True)


SLIMMING = Method(slimming.scores, context(32))
ISTA = Method(ista.scores, context(32), absorbs=True)
RANDOM = Method(random.scores, context(32))
TAYLOR = Method(taylor.scores, context(32))


def plan(clips, method=SLIMMING, schedule=STEPS, finetuning=FINETUNING, seed=1, name="vgg11"):
    known = replace(method.context, train=clips[0], name=name, seed=seed)
    return Plan(replace(method, context=known), schedule, finetuning)


def traced(network, clips, *chosen, **more):
    return list(trace(network, plan(clips, *chosen, **more), clips[1]))


def finetuned(network, clips, finetuning):
    """The trained network itself, repaired: the control."""
    return finetune(network, plan(clips, finetuning=finetuning), 0)


def test_five_percent_of_the_original_channels_makes_19_steps():
    schedule = Schedule(0.05, "original", 0.95, False)
    assert schedule.counts(2752) == [round(0.05 * k * 2752) for k in range(1, 20)]


def test_a_share_of_the_remaining_channels_shrinks():
    counts = Schedule(0.1, "remaining", 0.5, False).counts(1000)
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
    steps = traced(network, clips, finetuning=CUT)
    before = torch.cat([gamma.detach() for gamma in gammas_of(network).values()])
    after = torch.cat([gamma.detach() for gamma in gammas_of(steps[2].network).values()])
    assert set(after.tolist()) <= set(before.tolist())
    spared = len([1 for width in widths_of(steps[2].network).values() if width == 1])
    assert (after < before.sort().values[steps[2].channels_removed]).sum() <= spared
    assert [step.accuracy_before_finetuning for step in steps] == [step.accuracy for step in steps]


def test_once_cuts_the_trained_network_each_goes_on_from_the_last_step(network, clips):
    """Before any fine-tuning both are the same; `once` then cuts to the widths that no fine-tuning decided."""
    chosen = (STEPS, FINETUNING), (ONCE, FINETUNING), (STEPS, CUT)
    each, once, none = (traced(network, clips, SLIMMING, *each) for each in chosen)
    assert each[1].accuracy == once[1].accuracy
    assert widths_of(each[1].network) == widths_of(once[1].network)
    for cut_once, untouched in zip(once, none, strict=True):
        assert widths_of(cut_once.network) == widths_of(untouched.network)
        assert cut_once.accuracy_before_finetuning == untouched.accuracy
    weight = "stage1.0.conv.weight"
    assert not torch.equal(each[2].network.get_parameter(weight), once[2].network.get_parameter(weight))


def test_the_trained_network_is_left_as_it_was(network, clips):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for method in (SLIMMING, RANDOM, TAYLOR, Method(ista.scores, context(32), absorbs=True, shrinks=True)):
        traced(network, clips, method)
    traced(network, clips, finetuning=STATISTICS)
    for kind in ("none", "subgradient", "proximal", "ista"):
        finetuned(network, clips, Finetuning(SETTINGS, Penalty(kind, 1e-3), 0.5))
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_a_curve_depends_on_its_seed_and_not_on_what_ran_before(network, clips):
    first = traced(network, clips)
    torch.rand(5)
    again = traced(network, clips)
    other = traced(network, clips, seed=2)
    assert torch.equal(first[-1].log_probabilities, again[-1].log_probabilities)
    assert not torch.equal(first[-1].log_probabilities, other[-1].log_probabilities)


def test_the_curve_ends_where_every_layer_is_down_to_one_channel(network, clips):
    steps = traced(network, clips, SLIMMING, Schedule(0.095, "original", 0.999, False), CUT)
    assert set(widths_of(steps[-1].network).values()) == {1}
    assert steps[-1].channels_removed > steps[-2].channels_removed


def test_a_curve_whose_finetuning_diverges_ends_there_and_says_where(network, clips):
    diverging = replace(FINETUNING, settings=replace(SETTINGS, learning_rate=1e30))
    steps = trace(network, plan(clips, finetuning=diverging), clips[1])
    assert next(steps).step == 0
    with pytest.raises(Diverged, match="in fine-tuning of step 1, the training loss was "):
        next(steps)


def test_rescaling_acts_while_finetuning_lasts(network, clips):
    """With gammas a tenth as large, thresholds take more of them; with nothing learnt, nothing changes."""
    idle = replace(FINETUNING, settings=replace(SETTINGS, learning_rate=1e-30), rescaling=0.25)
    tuned = finetuned(network, clips, idle)
    for norm, gamma in gammas_of(network).items():
        torch.testing.assert_close(gammas_of(tuned)[norm], gamma)
    sums = []
    for rescaling in (1.0, 0.5):
        tuned = finetuned(network, clips, Finetuning(SETTINGS, Penalty("ista", 0.05), rescaling))
        sums.append(sum(gamma.abs().sum().item() for gamma in gammas_of(tuned).values()))
    assert sums[1] < sums[0]


def test_recalibration_leaves_statistics_of_all_training_clips_and_nothing_else_of_it(network, clips):
    plain, anew = (finetuned(network, clips, replace(FINETUNING, recalibrate=chosen)) for chosen in (False, True))
    assert all(torch.equal(*pair) for pair in zip(plain.parameters(), anew.parameters(), strict=True))
    features = clips[0].batch(torch.arange(12))[0]
    name, first = next((name, m) for name, m in anew.named_modules() if isinstance(m, torch.nn.BatchNorm2d))
    maps = anew.get_submodule(name.replace("norm", "conv"))(features)
    torch.testing.assert_close(first.running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(first.running_var, maps.var((0, 2, 3)))
    assert first.momentum == plain.get_submodule(name).momentum
    assert not torch.equal(first.running_mean, plain.get_submodule(name).running_mean)


def test_recalibration_of_a_network_that_draws_random_numbers_is_the_same_each_time(network, clips):
    class Forgetful(type(network)):
        def forward(self, x):
            return super().forward(torch.nn.functional.dropout(x, training=self.training))

    network.__class__ = Forgetful
    one, other = (finetuned(network, clips, STATISTICS).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_a_repair_without_training_changes_running_statistics_and_nothing_else(name, clips):
    """Of a cut network, whose numbers of channels are no round ones: they become those of all training clips."""
    torch.manual_seed(1)
    whole = build(name, 2, 0.25)
    cut = SLIMMING.prune(whole, 1, sum(map(len, gammas_of(whole).values())) // 3)
    expected, repaired = copy.deepcopy(cut), finetuned(cut, clips, STATISTICS)
    recalibrate(expected, clips[0])
    before, wanted, after = (each.state_dict() for each in (cut, expected, repaired))
    assert list(before) == list(after)
    counted = {key for key in before if key.rsplit(".", 1)[-1] in ("running_mean", "running_var")}
    for key in counted:
        torch.testing.assert_close(after[key], wanted[key], rtol=1e-3, atol=1e-4)
        assert not torch.equal(before[key], after[key])
    same = {key for key in before if torch.equal(before[key], after[key])}
    assert same == {key for key in before if key not in counted and not key.endswith("num_batches_tracked")}


def test_statistics_alone_make_another_curve_than_the_bare_cut_and_one_that_no_seed_decides(network, clips):
    cut, anew, again = (
        traced(network, clips, finetuning=finetuning, seed=seed)
        for finetuning, seed in ((CUT, 1), (STATISTICS, 1), (STATISTICS, 2))
    )
    assert torch.equal(cut[0].log_probabilities, anew[0].log_probabilities), "step 0 is the trained network itself"
    assert cut[1].accuracy == anew[1].accuracy_before_finetuning
    for bare, repaired, other in zip(cut[1:], anew[1:], again[1:], strict=True):
        assert widths_of(bare.network) == widths_of(repaired.network), "no gamma has moved"
        assert not torch.allclose(bare.log_probabilities, repaired.log_probabilities, atol=1e-3)
        assert torch.equal(repaired.log_probabilities, other.log_probabilities)
        pairs = zip(bare.network.parameters(), repaired.network.parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize(
    ("name", "from_trained", "learns", "recalibrates", "changes"),
    [
        ("slimming-cut", False, False, False, False),
        ("slimming-statistics", False, False, True, True),
        ("slimming-gentle", False, True, True, True),
        ("slimming", False, True, False, True),
        ("slimming-once", True, True, False, True),
        ("slimming-once-statistics", False, False, True, True),
        ("ista-rescaled", False, True, False, True),
    ],
)
def test_a_recipe_of_the_configuration_plans_its_steps_and_its_repair(
    name, from_trained, learns, recalibrates, changes
):
    recipe = recipe_of(CONFIG, name)
    train = contexts_for_tests.clips()
    made = plan_of(recipe, CONFIG["training"], lam=1e-4, name="vgg11", seed=3, train=train)
    finetuning = made.finetuning
    assert made.method == method_of(recipe, name="vgg11", seed=3, train=train)
    assert made.schedule == Schedule(0.05, "original", 0.95, from_trained)
    assert finetuning.recalibrate is recalibrates and finetuning.changes is changes
    tuning = recipe["finetuning"]
    assert finetuning.settings == (finetuning_settings(CONFIG["training"], tuning) if learns else None)
    assert finetuning.penalty == Penalty("ista" if name == "ista-rescaled" else "none", 1e-4)
    assert finetuning.rescaling == (0.1 if name == "ista-rescaled" else 1)
    if learns:
        assert finetuning.settings.epochs == (1 if name == "slimming-gentle" else 5)
        assert finetuning.settings.learning_rate == (0.01 if name == "slimming-gentle" else 0.1)


@pytest.mark.parametrize("name", ["resnet11", "mobilenet0.25"])
@pytest.mark.parametrize("method", [SLIMMING, ISTA, RANDOM, TAYLOR])
def test_every_family_and_method_takes_the_target_or_one_less_of_a_pair(name, method, clips):
    torch.manual_seed(1)
    whole = build(name, 2, 0.25)
    schedule = Schedule(0.15, "original", 0.9, False)
    steps = traced(whole, clips, method, schedule, CUT, name=name)
    total = sum(map(len, gammas_of(whole).values()))
    missed = [count - step.channels_removed for count, step in zip([0, *schedule.counts(total)], steps, strict=True)]
    assert set(missed) <= ({0, 1} if name == "mobilenet0.25" else {0})


@pytest.mark.parametrize("kind", ["subgradient", "proximal", "ista"])
def test_a_penalty_makes_gammas_smaller_while_it_finetunes(kind, network, clips):
    def total(lam):
        tuned = finetuned(network, clips, Finetuning(SETTINGS, Penalty(kind, lam)))
        return sum(gamma.abs().sum().item() for gamma in gammas_of(tuned).values())

    assert total(1e-2) < total(0.0)


@pytest.mark.parametrize("method", [slimming, random, ista, taylor])
def test_a_recipe_names_its_method(method):
    recipe = {"method": method.__name__.rsplit(".", 1)[-1], "absorb": True, "shrink_survivors": False}
    train = contexts_for_tests.clips()
    made = method_of(recipe, name="vgg11", seed=3, train=train)
    assert made == Method(method.scores, Context(recipe, "vgg11", 3, train), absorbs=True, shrinks=False)


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


@pytest.mark.parametrize(
    ("schedule", "finetuning"), [(STEPS, FINETUNING), (ONCE, FINETUNING), (STEPS, CUT), (STEPS, STATISTICS)]
)
@pytest.mark.parametrize("method", [SLIMMING, TAYLOR, replace(RANDOM, absorbs=True)])
def test_a_step_made_again_is_the_curves_own(clips, network, schedule, finetuning, method):
    network = network.to(memory_format=torch.channels_last)
    chosen = plan(clips, method, schedule, finetuning, seed=3)
    for step in trace(network, chosen, clips[1]):
        ours, theirs = remake(network, chosen, step.step).state_dict(), step.network.state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert step.step > 2


@pytest.mark.parametrize(("schedule", "made"), [(STEPS, [1, 2, 3]), (ONCE, [3])])
def test_a_step_made_again_measures_nothing_and_makes_no_step_that_it_does_not_come_from(
    clips, network, monkeypatch, schedule, made
):
    pruned, validated = [], []

    class Watched(Method):
        def prune(self, network, step, count):
            pruned.append(step)
            return super().prune(network, step, count)

    monkeypatch.setattr("channel_sparsity.pruning.curve.predict", lambda *_: validated.append(1))
    remake(network, plan(clips, Watched(random.scores, context(32)), schedule, CUT), 3)
    assert (pruned, validated) == (made, [])
