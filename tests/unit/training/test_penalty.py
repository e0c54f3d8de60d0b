"""The penalty's subgradient against autograd, its proximal steps against what they minimise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.cost import channel_costs
from channel_sparsity.training.penalty import Penalty, Pull


def test_it_adds_the_gradient_of_lambda_times_l1():
    values = torch.tensor([0.5, -0.3, 0.0, 2.0])
    ours, theirs = (torch.nn.Parameter(values.clone()) for _ in range(2))
    (ours**2).sum().backward()
    ((theirs**2).sum() + 0.01 * theirs.abs().sum()).backward()
    Pull({"norm": ours}, lam=0.01).before_step()
    torch.testing.assert_close(ours.grad, theirs.grad)


@given(st.lists(st.floats(-2, 2), min_size=1), st.floats(0, 1))
def test_the_proximal_step_minimises_its_objective_and_no_gamma_changes_its_sign(values, threshold):
    """prox(g) = argmin_z (z - g)^2 / 2 + t |z|: no other z does better."""
    start = torch.tensor(values, dtype=torch.float64)
    gamma = torch.nn.Parameter(start.clone())
    Pull({"norm": gamma}, strengths={"norm": threshold}).after_step(1.0)
    others = torch.linspace(-2, 2, 81, dtype=torch.float64)[:, None]

    def objective(z):
        return (z - start) ** 2 / 2 + threshold * z.abs()

    assert (objective(gamma.detach()) <= objective(others) + 1e-12).all()
    assert (gamma * start >= 0).all()
    beyond = start.abs() > threshold
    assert (gamma[beyond].sign() == start[beyond].sign()).all() and (gamma[~beyond] == 0).all()


@pytest.mark.parametrize("kind", ["proximal", "ista"])
@settings(max_examples=10)
@given(st.floats(1e-4, 0.5), st.floats(1e-3, 0.1))
def test_thresholds_carry_the_learning_rate_and_the_channels_cost(kind, rate, lam):
    network = build("vgg11", 2, 0.05)
    for gamma in gammas_of(network).values():
        gamma.data[::2] = -1.0
    pull = Penalty(kind, lam).on(network, 40, 26)
    before = {norm: gamma.detach().clone() for norm, gamma in gammas_of(network).items()}
    pull.before_step()
    assert all(gamma.grad is None for gamma in gammas_of(network).values()), "the gradient is the loss's alone"
    pull.after_step(rate)
    for norm, cost in channel_costs(network, 40, 26).items():
        threshold = rate * lam * (cost if kind == "ista" else 1)
        found, start = gammas_of(network)[norm].detach(), before[norm]
        torch.testing.assert_close(found, start.sign() * (start.abs() - threshold).clamp(min=0))


def test_a_subgradient_acts_before_the_update_and_not_after_it():
    network = build("vgg11", 2, 0.05)
    for gamma in gammas_of(network).values():
        gamma.grad = torch.zeros_like(gamma)
    pull = Penalty("subgradient", 1e-3).on(network, 40, 26)
    pull.before_step()
    pull.after_step(0.1)
    for gamma in gammas_of(network).values():
        torch.testing.assert_close(gamma.grad, torch.full_like(gamma, 1e-3))
        assert (gamma == 0.5).all()


@pytest.mark.parametrize("penalty", [Penalty("none", 1e-3), Penalty("ista", 0.0), Penalty("proximal", 0.0)])
def test_a_penalty_that_does_nothing_touches_no_gamma(penalty):
    network = build("vgg11", 2, 0.05)
    pull = penalty.on(network, 40, 26)
    pull.before_step()
    pull.after_step(0.1)
    assert all(gamma.grad is None and (gamma == 0.5).all() for gamma in gammas_of(network).values())


def test_a_penalty_may_go_by_the_costs_of_another_network():
    """A padded copy learns what the network would learn, though its channels cost more."""
    narrow, wide = build("vgg11", 2, 0.05), build("vgg11", 2, 0.1)
    costs, dearer = channel_costs(narrow, 40, 26), channel_costs(wide, 40, 26)
    assert all(costs[norm] < dearer[norm] for norm in list(costs)[-3:])
    Penalty("ista", 0.1).priced_by(narrow, 40, 26).on(wide, 40, 26).after_step(0.1)
    for norm, gamma in gammas_of(wide).items():
        torch.testing.assert_close(gamma.detach(), torch.full_like(gamma, max(0, 0.5 - 0.1 * 0.1 * costs[norm])))
