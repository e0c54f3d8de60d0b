"""The sparsity penalty on the scaling factors: lambda * L1 of the BN gammas (Eq. 3, R8), and how it acts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch

from channel_sparsity.networks import gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs


@dataclass(frozen=True)
class Penalty:
    """How strongly, `lam`, and in which way a network's gammas are pulled towards zero while it learns.

    `kind`: ``subgradient``, lambda * sign(gamma) added to the gradient (R8); ``proximal``, soft-thresholding by
    learning rate * lambda after each update (ISTA), which momentum does not enlarge; ``ista``, the same with each
    threshold multiplied by what the channel costs (Ye et al. 2018, R23: lambda is their rho); ``none``.
    """

    kind: str
    lam: float

    def options(self, network: Network, bands: int, frames: int, priced: Network | None = None) -> dict:
        """What `fit` is to be called with so that the penalty acts on `network`, on clips of `bands` x `frames`.

        Channels cost what those of `priced` cost, if it is given: the network of which `network` is a padded copy.
        """
        if self.kind == "subgradient":
            return {"lam": self.lam}
        if self.kind == "none" or self.lam == 0:
            return {"lam": 0.0}
        gammas = gammas_of(network)
        costs = (
            channel_costs(network if priced is None else priced, bands, frames)
            if self.kind == "ista"
            else dict.fromkeys(gammas, 1.0)
        )
        return {"lam": 0.0, "after_step": _shrinking(gammas, {norm: self.lam * cost for norm, cost in costs.items()})}


def add_subgradient(gammas: Iterable[torch.nn.Parameter], lam: float) -> None:
    """Add lambda * sign(gamma), the subgradient of lambda * ||gamma||_1, to the gammas' gradients, in place.

    The same as adding the penalty to the loss, without building its graph; sign(0) = 0, so a gamma that is exactly
    zero feels the loss alone.
    """
    if lam == 0:
        return
    gammas = list(gammas)
    torch._foreach_add_([gamma.grad for gamma in gammas], [gamma.detach().sign() for gamma in gammas], alpha=lam)


def proximal_step(gammas: Mapping[str, torch.nn.Parameter], thresholds: Mapping[str, float | torch.Tensor]) -> None:
    """Soft-threshold the gammas of each normalisation in place: sign(gamma) * max(|gamma| - threshold, 0)."""
    with torch.no_grad():
        for norm, gamma in gammas.items():
            # Not `softshrink`: a threshold that lies on a GPU would have to be fetched for it.
            gamma.copy_(gamma.sign() * (gamma.abs() - thresholds[norm]).clamp(min=0))


def _shrinking(gammas: Mapping[str, torch.nn.Parameter], strengths: Mapping[str, float]) -> Callable:
    """What `fit` calls with the learning rate (a number or a scalar tensor) after each update: thresholds are rate *
    strength."""

    def shrink(rate: float | torch.Tensor) -> None:
        proximal_step(gammas, {norm: rate * strength for norm, strength in strengths.items()})

    return shrink
