"""The grid that short trainings propose: what they are, and what is written of them."""

from dataclasses import replace

import pytest
import torch
import yaml
from settings_for_tests import NO_PENALTY, SHORT
from test_trained import setup  # noqa: F401

from channel_sparsity.files import StudyError
from channel_sparsity.measuring.sparsity import weight_skewness
from channel_sparsity.networks import gammas_of
from channel_sparsity.training import trials
from channel_sparsity.training.fit import Diverged, fit
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.proposal import Trial
from channel_sparsity.training.trials import propose, try_out

PLAN = {"epochs": 2, "levels": 3, "ws": 2.0}
FULL = replace(SHORT, epochs=8, schedule="constant", warmup_epochs=3)


def test_a_trial_is_what_a_network_came_to_from_the_studys_initialisation(setup, monkeypatch):  # noqa: F811
    """In batches of its own order; WS and accuracy are the network's."""
    learnt, initial = [], setup.untrained().state_dict()

    def watched(network, *given, **told):
        assert (told["seed"], told["purpose"]) == (3, ("vgg11", "proposal"))
        assert all(torch.equal(value, initial[key]) for key, value in network.state_dict().items())
        yield from fit(network, *given, **told)
        learnt.append(network.eval())

    monkeypatch.setattr(trials, "fit", watched)
    trial = try_out(setup, SHORT, Penalty("subgradient", 0.05), 0.1)
    gammas = torch.cat([gamma.detach() for gamma in gammas_of(learnt[0]).values()])
    with torch.no_grad():
        right = learnt[0]((setup.validation.logmel[16:, None] + 35) / 7).argmax(1) == setup.validation.labels
    assert trial == Trial(0.1, weight_skewness(gammas.numpy()), right.double().mean().item())
    assert not all(torch.equal(value, initial[key]) for key, value in learnt[0].state_dict().items())


def test_a_trial_that_diverges_has_no_figures(setup):  # noqa: F811
    assert try_out(setup, replace(SHORT, learning_rate=1e30), NO_PENALTY, 0.2) == Trial(0.2, None, None)


def test_a_proposal_carries_shrinkages_over_to_the_studys_trainings(setup, monkeypatch):  # noqa: F811
    """Two steps an epoch at 0.05: a sum of 0.05 x (1/2 + 1 + 1 + 1) in two epochs, of which one warms up."""
    asked = []

    def made_up(given, short, penalty, shrinkage):
        asked.append((short.epochs, short.warmup_epochs, penalty))
        return Trial(shrinkage, 1 + 20 * shrinkage, 0.9)

    monkeypatch.setattr(trials, "try_out", made_up)
    proposal = propose(setup, FULL, "proximal", PLAN, 0.03)
    table = proposal.trials
    assert table["shrinkage"].tolist() == [0, 0.01, 0.02, 0.04, 0.08] and table["within"].all()
    short_sum = 0.05 * (0.5 + 1 + 1 + 1)
    full_sum = 0.05 * (sum(k / 6 for k in range(1, 7)) + 10)
    assert table["lambda_here"].tolist() == pytest.approx((table["shrinkage"] / short_sum).tolist())
    assert table["lambda_in_study"].tolist() == pytest.approx((table["shrinkage"] / full_sum).tolist())
    assert {each[:2] for each in asked} == {(2, 1)}
    assert [penalty.lam for *_, penalty in asked] == pytest.approx(table["lambda_here"].tolist())
    assert {penalty.kind for *_, penalty in asked} == {"proximal"}
    written = yaml.safe_load(proposal.snippet)["lambdas"]["vgg11"]
    assert written[0] == "0" and len(written) == 3
    assert float(written[-1]) == pytest.approx(0.08 / full_sum, rel=0.051)
    assert f"vgg11: {written}".replace("'", '"') == proposal.line
    for words in ("From 5 trainings of 2 epochs (the study's have 8) with seed 3", "WS reached 2", "from 1.00 to 2.60"):
        assert words in proposal.snippet


def test_no_grid_where_trainings_fail(setup, monkeypatch):  # noqa: F811
    def diverging(*_, **__):
        raise Diverged("the training loss was nan in epoch 1")

    monkeypatch.setattr(trials, "fit", diverging)
    with pytest.raises(StudyError, match=r"no grid can be proposed for vgg11: without penalty .*: raise `proposal"):
        propose(setup, FULL, "subgradient", PLAN, 0.03)
