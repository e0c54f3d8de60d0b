"""The sparsity penalty on the scaling factors: lambda * L1 of the BN gammas (Eq. 3, R8)."""

from collections.abc import Iterable

import torch


def add_subgradient(gammas: Iterable[torch.nn.Parameter], lam: float) -> None:
    """Add lambda * sign(gamma), the subgradient of lambda * ||gamma||_1, to the gammas' gradients, in place.

    The same as adding the penalty to the loss, without building its graph; sign(0) = 0, so a gamma that is exactly
    zero feels the loss alone.
    """
    if lam == 0:
        return
    gammas = list(gammas)
    torch._foreach_add_([gamma.grad for gamma in gammas], [gamma.detach().sign() for gamma in gammas], alpha=lam)
