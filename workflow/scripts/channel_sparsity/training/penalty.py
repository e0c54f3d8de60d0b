"""The sparsity penalty on the scaling factors: lambda * L1 of the BN gammas (Eq. 3, R8), and how it acts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from channel_sparsity.networks import gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import channel_costs


@dataclass(frozen=True)
class Penalty:
    """How strongly, `lam`, and in which way a network's gammas are pulled towards zero while it learns.

    `kind`: ``subgradient``, lambda * sign(gamma) added to the gradient (R8); ``proximal``, soft-thresholding by
    learning rate * lambda after each update (ISTA), which momentum does not enlarge; ``ista``, the same with each
    threshold multiplied by what the channel costs (Ye et al. 2018, R23: lambda is their rho); ``none``. `costs` [per
    normalisation]: what channels cost; None stands for those of the network that learns.
    """

    kind: str
    lam: float
    costs: Mapping[str, float] | None = None

    def priced_by(self, network: Network, bands: int, frames: int) -> "Penalty":
        """The penalty with the costs of `network`, of which a padded copy learns, whose channels would cost more."""
        return replace(self, costs=channel_costs(network, bands, frames)) if self.kind == "ista" else self

    def on(self, network: Network, bands: int, frames: int) -> "Pull":
        """How the penalty acts on the gammas of `network`, which learns from clips of `bands` x `frames`."""
        gammas = gammas_of(network)
        if self.kind == "none" or self.lam == 0:
            return Pull(gammas)
        if self.kind == "subgradient":
            return Pull(gammas, lam=self.lam)
        costs = dict.fromkeys(gammas, 1.0)
        if self.kind == "ista":
            costs = channel_costs(network, bands, frames) if self.costs is None else self.costs
        return Pull(gammas, strengths={norm: self.lam * cost for norm, cost in costs.items()})


@dataclass(frozen=True)
class Pull:
    """A penalty on the gammas of one network, as each update of its weights feels it.

    `lam` is that of the subgradient; `strengths` [per normalisation], times the learning rate, are the thresholds of
    the proximal step. Where there is neither, nothing is done.
    """

    gammas: Mapping[str, torch.nn.Parameter]
    lam: float = 0.0
    strengths: Mapping[str, float] = field(default_factory=dict)

    def before_step(self) -> None:
        """Add lambda * sign(gamma), the subgradient of lambda * ||gamma||_1, to the gammas' gradients, in place.

        The same as adding the penalty to the loss, without building its graph; sign(0) = 0, so a gamma that is exactly
        zero feels the loss alone.
        """
        if self.lam:
            gammas = self.gammas.values()
            signs = [gamma.detach().sign() for gamma in gammas]
            torch._foreach_add_([gamma.grad for gamma in gammas], signs, alpha=self.lam)

    @torch.no_grad()
    def after_step(self, rate: float | torch.Tensor) -> None:
        """Soft-threshold the gammas, after an update with this learning rate (a number or a scalar tensor), in place:
        sign(gamma) * max(|gamma| - threshold, 0)."""
        for norm, strength in self.strengths.items():
            gamma = self.gammas[norm]
            # Not `softshrink`: a threshold that lies on a GPU would have to be fetched for it.
            gamma.copy_(gamma.sign() * (gamma.abs() - rate * strength).clamp(min=0))
