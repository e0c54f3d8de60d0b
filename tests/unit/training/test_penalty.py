"""The penalty's subgradient against autograd."""

import torch

from channel_sparsity.training.penalty import add_subgradient


def test_it_adds_the_gradient_of_lambda_times_l1():
    values = torch.tensor([0.5, -0.3, 0.0, 2.0])
    ours, theirs = (torch.nn.Parameter(values.clone()) for _ in range(2))
    (ours**2).sum().backward()
    ((theirs**2).sum() + 0.01 * theirs.abs().sum()).backward()
    add_subgradient([ours], 0.01)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_at_lambda_0_nothing_is_touched():
    gamma = torch.nn.Parameter(torch.ones(3))
    add_subgradient([gamma], 0.0)
    assert gamma.grad is None
