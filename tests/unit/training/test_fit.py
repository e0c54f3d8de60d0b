"""The training loop: its schedule, its shrinkage, its seeds, and what it does to gammas."""

import gc
import warnings
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings_for_tests import NO_PENALTY, SHORT, clips_of_levels

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.training.fit import Diverged, OutOfMemory, accuracy, fit, only_answer, per_scene, predict, seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import make_optimiser

SETTINGS = replace(SHORT, schedule="steps", decay_at=(0.5, 0.75))


@pytest.fixture
def clips():
    return clips_of_levels(16, 4)


def trained(clips, training=SETTINGS, penalty=NO_PENALTY, seed=1, **options):
    torch.set_num_threads(1)
    with seeded(seed, "initialisation"):
        network = build("vgg11", 2, 0.05)
    history = list(fit(network, clips[0], training, penalty, seed=seed, purpose=("test",), **options))
    return network, history


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0.05] * 4 + [0.005] * 2 + [0.0005] * 2),
        ({"schedule": "constant"}, [0.05] * 8),
        ({"schedule": "linear"}, [0.05 * (1 - k / 8) for k in range(8)]),
        ({"schedule": "constant", "warmup_epochs": 1}, [0.025] + [0.05] * 7),
        ({"schedule": "linear", "warmup_epochs": 1}, [0.025] + [0.05 * (1 - k / 6) for k in range(-1, 6)]),
    ],
)
def test_the_rate_of_every_step(changes, expected):
    training = replace(SETTINGS, epochs=4, **changes)
    rates = [training.rate(epoch, step, 2) for epoch in range(4) for step in range(2)]
    if changes.get("warmup_epochs"):
        expected = [0.025, 0.05, *expected[2:]]
    assert rates == pytest.approx(expected)
    assert training.sum_of_rates(16) == pytest.approx(sum(expected))


def test_the_papers_training_shrinks_by_1660_lambda():
    training = replace(SETTINGS, epochs=100, batch_size=32, learning_rate=0.1)
    assert training.sum_of_rates(10_080) == pytest.approx(1661.6, abs=0.1)


@pytest.mark.parametrize("bound", [None, 1e-6])
def test_plain_sgd_shrinks_idle_gammas_by_the_shrinkage(clips, bound):
    """With nothing else acting on a gamma, lambda x sum of the rates is what it loses (R10); no bound is on that."""
    training = replace(SETTINGS, momentum=0.0, weight_decay=0.0, clip_gammas=bound)
    network = build("vgg11", 2, 0.05)
    # A head of zeros sends no gradient back, and with no weight of its own in the gradient it stays zero.
    torch.nn.init.zeros_(network.head.weight)
    network.head.weight.requires_grad_(False)
    list(fit(network, clips[0], training, Penalty("subgradient", 1e-2), seed=1, purpose=()))
    lost = 0.5 - torch.cat([gamma.detach() for gamma in gammas_of(network).values()])
    torch.testing.assert_close(lost, torch.full_like(lost, 1e-2 * training.sum_of_rates(16)))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bound=st.floats(1e-6, 1e-3))
def test_the_loss_moves_no_gamma_further_than_its_bound(clips, bound):
    training = replace(SETTINGS, momentum=0.0, weight_decay=0.0, clip_gammas=bound)
    network, _ = trained(clips, training)
    moved = torch.cat([(gamma.detach() - 0.5).abs() for gamma in gammas_of(network).values()])
    furthest = bound * training.sum_of_rates(16)
    assert furthest * 0.9 < moved.max() <= furthest + 1e-6


def test_the_same_seed_gives_the_same_bits_whatever_ran_before(clips):
    first, history = trained(clips, validation=clips[1])
    torch.rand(7)
    again, history_again = trained(clips, validation=clips[1])
    assert history == history_again
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    different, _ = trained(clips, seed=2)
    assert not torch.equal(first.head.weight, different.head.weight)


def test_a_network_goes_with_its_training(clips):
    """Without waiting until Python looks for circles of references: a curve has 19 trainings, each with its memory."""
    gc.disable()
    try:
        network = weakref.ref(trained(clips)[0])
        assert network() is None
    finally:
        gc.enable()


def test_a_job_on_a_cpu_leaves_gpus_alone(monkeypatch):
    for name in ("get_rng_state", "set_rng_state"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: pytest.fail("this starts CUDA"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with warnings.catch_warnings(action="error"), seeded(1, "order"):
        pass


def test_the_callers_generator_is_left_alone(clips):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(clips)
    assert torch.equal(torch.rand(3), expected)


def test_a_loss_that_is_not_finite_ends_training(clips):
    with pytest.raises(Diverged, match="epoch 1"):
        trained(clips, replace(SETTINGS, learning_rate=1e30))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_gpu_that_is_too_small_is_said(clips, monkeypatch, error):
    def full(*_):
        raise error

    network, _ = trained(clips)
    monkeypatch.setattr(network, "forward", full)
    advice = r"let fewer jobs share the GPU \(--resources gpu=1\), or use one with more memory$"
    with pytest.raises(OutOfMemory, match=rf"^the GPU's memory did not suffice for predictions: {advice}"):
        predict(network, clips[1])
    with pytest.raises(OutOfMemory, match=rf"^the GPU's memory did not suffice in epoch 1: {advice}") as raised:
        list(fit(network, clips[0], SETTINGS, NO_PENALTY, seed=1, purpose=()))
    assert raised.value.status == "out_of_memory"
    assert isinstance(raised.value, StudyError), "a job that keeps no such status says it as it is"


def test_another_error_of_a_gpu_stays_what_it_is(clips, monkeypatch):
    def broken(*_):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    network, _ = trained(clips)
    monkeypatch.setattr(network, "forward", broken)
    with pytest.raises(RuntimeError, match=r"^CUDA error: an illegal memory access"):
        predict(network, clips[1])


def test_a_network_that_tells_no_clips_apart_is_found_out():
    scenes = ["bus", "park", "tram"]
    alike = torch.tensor([[0.1, 0.8, 0.1], [0.3, 0.4, 0.3]]).log()
    assert only_answer(alike, scenes) == "park"
    assert only_answer(torch.cat([alike, alike.flip(1) * torch.tensor([1, 9, 0])]), scenes) is None
    assert only_answer(alike[:1], scenes) is None, "a single clip says nothing"


def test_weight_decay_may_leave_the_norms_alone():
    network = build("vgg11", 2, 0.05)
    groups = make_optimiser(network, replace(SETTINGS, decay_gammas=False)).param_groups
    exempt = {id(p) for p in groups[1]["params"]}
    assert groups[1]["weight_decay"] == 0
    assert exempt == {id(p) for name, p in network.named_parameters() if "norm" in name}
    assert len(make_optimiser(network, SETTINGS).param_groups) == 1


def test_adam_is_there_to_the_letter():
    optimiser = make_optimiser(build("vgg11", 2, 0.05), replace(SETTINGS, optimiser="adam"))
    assert isinstance(optimiser, torch.optim.Adam) and optimiser.defaults["betas"] == (0.9, 0.999)


def test_the_penalty_acts_on_the_network_before_and_after_every_update(clips):
    rates, before = [], []

    class Watching:
        def on(self, network, bands, frames):
            assert (bands, frames) == (40, 32)
            gammas = gammas_of(network).values()
            return SimpleNamespace(
                before_step=lambda: before.append(all(gamma.grad is not None for gamma in gammas)),
                after_step=rates.append,
            )

    trained(clips, penalty=Watching())
    assert before == [True] * 4
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.005])


def test_accuracy_over_all_and_per_scene(clips):
    network, _ = trained(clips)
    log_probabilities = predict(network, clips[1])
    torch.testing.assert_close(log_probabilities.exp().sum(1), torch.ones(4))
    hits = [int(row.argmax()) == label for row, label in zip(log_probabilities, [0, 1, 0, 1], strict=True)]
    assert accuracy(log_probabilities, clips[1]) == sum(hits) / 4
    scenes = per_scene(log_probabilities, clips[1], ["bus", "park", "tram"])
    assert scenes == {"bus": (hits[0] + hits[2]) / 2, "park": (hits[1] + hits[3]) / 2, "tram": None}
