"""A curve that is killed goes on to the same bits."""

from dataclasses import replace

import pandas
import pytest
import torch
from contexts_for_tests import context
from settings_for_tests import SHORT, Killed

from channel_sparsity.networks import build, gammas_of
from channel_sparsity.pruning import curve
from channel_sparsity.pruning.curve import Finetuning, Plan, Schedule, finetune, trace
from channel_sparsity.pruning.methods import Method, ista, random, slimming, taylor
from channel_sparsity.pruning.traced import Traced
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.state import State
from channel_sparsity.training.updates import Updates

SETTINGS = replace(SHORT, batch_size=6, learning_rate=0.02, clip_gammas=0.05)
STEPS = Schedule(step=0.4, step_of="original", highest_rate=0.8, from_trained=False)
ONCE = replace(STEPS, from_trained=True)


def tuned(penalty="none", rescaling=1.0):
    """Fine-tuning, under a penalty."""
    return Finetuning(SETTINGS, Penalty(penalty, 1e-3), rescaling)


CUT = replace(tuned(), settings=None)
STATISTICS = replace(CUT, recalibrate=True)


@pytest.fixture
def network_of():
    """A network whose gammas are all different, in channels-last memory as a job has it."""

    def made(name):
        torch.manual_seed(1)
        network = build(name, 2, 0.05)
        for gamma in gammas_of(network).values():
            torch.nn.init.uniform_(gamma, 0.1, 1)
        return network.to(memory_format=torch.channels_last)

    return made


def traced(network, clips, method, schedule, finetuning, state):
    """The curve and the control beside it, if it has one, with `state` as a job keeps it."""
    record, reached = Traced.of(state, network)
    method = replace(method, context=replace(method.context, train=clips[0], name="n"))
    plan = Plan(method, schedule, finetuning)
    for step in trace(network, plan, clips[1], state, reached):
        record.add(step)
        record.keep(state, step)
    if not finetuning.changes:
        return record, {}
    control = finetune(network, plan, 0, state)
    return record, control.state_dict()


@pytest.mark.parametrize(
    ("name", "method", "schedule", "finetuning", "lives"),
    [
        ("vgg11", Method(slimming.scores, context(32)), STEPS, tuned(), (4, 9)),
        (
            "vgg11",
            Method(ista.scores, context(32), absorbs=True, shrinks=True),
            STEPS,
            tuned("ista", rescaling=0.5),
            (2, 3, 12),
        ),
        ("resnet11", Method(slimming.scores, context(32), absorbs=True), STEPS, tuned("subgradient"), (5, 7)),
        ("resnet11", Method(random.scores, context(32)), ONCE, tuned(), (8, 4)),
        ("resnet11", Method(taylor.scores, context(32)), STEPS, STATISTICS, (2, 4, 3)),
        ("mobilenet0.25", Method(ista.scores, context(32), absorbs=True), STEPS, tuned("proximal"), (6, 10)),
        ("mobilenet0.25", Method(slimming.scores, context(32)), STEPS, STATISTICS, (3, 5, 4)),
        ("mobilenet0.25", Method(taylor.scores, context(32)), STEPS, replace(tuned(), recalibrate=True), (7, 8)),
        ("mobilenet0.25", Method(slimming.scores, context(32)), STEPS, CUT, (2,)),
    ],
)
def test_a_curve_killed_anywhere_goes_on_to_the_same_bits(
    network_of, clips, tmp_path, monkeypatch, name, method, schedule, finetuning, lives
):
    """Each life has so many batches, predictions and looks at statistics; the last one has all it needs.

    A step takes six of them, or seven; three if nothing is learnt.
    """
    chosen = (clips, method, schedule, finetuning)
    expected, expected_control = traced(network_of(name), *chosen, State(tmp_path / "unused", {}, 3600))
    deaths = 0
    for life in [*lives, 10**9]:
        left = [life]

        def mortal(*arguments, real, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*arguments)

        state = State(tmp_path, {"code": 1}, 0)
        with monkeypatch.context() as patch:
            for module, function in ((Updates, "__call__"), (curve, "predict"), (curve, "recalibrate")):
                real = getattr(module, function)
                patch.setattr(module, function, lambda *given, real=real: mortal(*given, real=real))
            try:
                record, control = traced(network_of(name), *chosen, state)
                break
            except Killed:
                deaths += 1
    assert deaths == len(lives)
    state.remove()
    for table in ("curve", "widths"):
        pandas.testing.assert_frame_equal(record.tables()[table], expected.tables()[table], check_exact=True)
    assert torch.equal(torch.stack(record.log_probabilities), torch.stack(expected.log_probabilities))
    assert all(torch.equal(control[key], expected_control[key]) for key in expected_control)
    assert record.tables()["timing"]["step"].tolist() == expected.tables()["timing"]["step"].tolist()


def test_time_before_a_kill_counts_up_to_the_state(network_of, clips, tmp_path, monkeypatch):
    """A step's seconds are those of all lives that worked on it, less what was lost."""
    now = [0.0]
    monkeypatch.setattr("channel_sparsity.training.state.time.monotonic", lambda: now[0])
    arguments = (clips, Method(slimming.scores, context(32)), STEPS, tuned())
    update = Updates.__call__

    def slow(*batch):
        now[0] += 10
        if now[0] == 80:  # step 1 took 40 s, the first epoch of step 2 took 20 s; its second is lost
            raise Killed
        update(*batch)

    monkeypatch.setattr(Updates, "__call__", slow)
    with pytest.raises(Killed):
        traced(network_of("vgg11"), *arguments, State(tmp_path, {}, 0))
    now[0] = 5000.0
    state = State(tmp_path, {}, 0)
    assert state.seconds() == 60
    record, _ = traced(network_of("vgg11"), *arguments, state)
    assert record.tables()["timing"]["seconds"].tolist() == [0, 40, 40]
    assert state.seconds() == 120
