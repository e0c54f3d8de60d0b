"""The short trainings from which a grid of lambdas is proposed, and the grid (R9, R10)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import pandas
import torch

from channel_sparsity.files import StudyError
from channel_sparsity.measuring.sparsity import weight_skewness
from channel_sparsity.networks import gammas_of
from channel_sparsity.training.fit import Diverged, accuracy, fit, predict
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.proposal import Goal, Trial, explore, levels_of, written
from channel_sparsity.training.settings import TrainingSettings
from channel_sparsity.training.setup import Setup

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proposal:
    """A grid for one network: its line of YAML, the `trials` it comes from, and the `snippet` for a configuration."""

    line: str
    trials: pandas.DataFrame
    snippet: str


def propose(setup: Setup, settings: TrainingSettings, kind: str, plan: Mapping, margin: float) -> Proposal:
    """Propose lambdas for a network that the study trains by `settings`, under a penalty of some `kind`.

    `plan`: `proposal` of the configuration (`epochs` of a short training, `levels`, and the `ws` to reach). `margin`:
    how much accuracy a lambda may cost. StudyError if not even two short trainings are usable.
    """
    short = replace(settings, epochs=plan["epochs"], warmup_epochs=min(settings.warmup_epochs, plan["epochs"] - 1))
    full_sum, short_sum = (each.sum_of_rates(len(setup.train)) for each in (settings, short))
    goal = Goal(plan["ws"], margin, len(setup.validation))
    trials, reason = explore(lambda s: try_out(setup, short, Penalty(kind, s / short_sum), s), goal)
    usable = [trial for trial in trials if not goal.too_far(trial, trials)]
    if len(usable) < 2:
        raise StudyError(f"no grid can be proposed for {setup.name}: {reason}: raise `proposal.epochs`")
    # Where so few clips make the rates' sum tiny, several may be written as the largest lambda there is.
    lambdas = list(dict.fromkeys(written(s / full_sum) for s in levels_of(trials, goal, plan["levels"])))
    line = f"{setup.name}: {json.dumps(lambdas)}"
    rows = [
        asdict(trial)
        | {
            "lambda_here": trial.shrinkage / short_sum,
            "lambda_in_study": trial.shrinkage / full_sum,
            "within": trial in usable,
        }
        for trial in trials
    ]
    return Proposal(
        line,
        pandas.DataFrame(rows),
        f"# From {len(trials)} trainings of {short.epochs} epochs (the study's have {settings.epochs}) with seed "
        f"{setup.seed}.\n"
        f"# The ladder ended: {reason}.\n"
        f"# WS went from {usable[0].ws:.2f} to {usable[-1].ws:.2f}; shrinkage = {full_sum:.4g} x lambda in the study.\n"
        f"lambdas:\n  {line}\n",
    )


def try_out(setup: Setup, settings: TrainingSettings, penalty: Penalty, shrinkage: float) -> Trial:
    """WS and accuracy of a network that is trained briefly, to some shrinkage; initialised as the study's are."""
    network = setup.untrained()
    try:
        for _ in fit(network, setup.train, settings, penalty, seed=setup.seed, purpose=(setup.name, "proposal")):
            pass
    except Diverged as error:
        log.warning("shrinkage %.3g: %s", shrinkage, error)
        return Trial(shrinkage, None, None)
    gammas = torch.cat([gamma.detach() for gamma in gammas_of(network).values()]).cpu().numpy()
    found = accuracy(predict(network, setup.validation), setup.validation)
    trial = Trial(shrinkage, weight_skewness(gammas), found)
    log.info("%s", trial)
    return trial
