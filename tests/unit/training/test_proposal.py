"""Proposed grids, on networks whose WS and accuracy are known functions of the shrinkage."""

import json
import math
import re
from pathlib import Path

import pandas
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from channel_sparsity.training.proposal import (
    FIRST_SHRINKAGE,
    LARGEST_SHRINKAGE,
    Goal,
    Trial,
    explore,
    levels_of,
    written,
)
from channel_sparsity.training.settings import training_settings

GOAL = Goal(ws=3, margin=0.03, clips=4000)
ROOT = Path(__file__).parents[3]
PATTERN = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())["$defs"]["lambdas"]["items"]


def network(ws_of, accuracy_of):
    return lambda shrinkage: Trial(shrinkage, ws_of(shrinkage), accuracy_of(shrinkage))


def test_the_ladder_ends_where_ws_reaches_the_goal():
    trials, reason = explore(network(lambda s: 10 * s, lambda s: 0.9), GOAL)
    assert [trial.shrinkage for trial in trials] == pytest.approx([0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32])
    assert reason == "WS reached 3"


def test_where_accuracy_falls_the_last_interval_is_halved_twice():
    """Accuracy falls at a shrinkage of 0.1: the ladder passes it at 0.16, the halvings close in from both sides."""
    trials, reason = explore(network(lambda s: 10 * s, lambda s: 0.9 if s < 0.1 else 0.7), GOAL)
    assert "accuracy fell" in reason
    middle = math.sqrt(0.08 * 0.16)
    assert [t.shrinkage for t in trials[-4:]] == pytest.approx([0.08, math.sqrt(0.08 * middle), middle, 0.16])
    highest = levels_of(trials, GOAL, 6)[-1]
    assert highest == pytest.approx(math.sqrt(0.08 * middle)) and highest < 0.1


def test_noise_does_not_end_the_ladder():
    """Two standard errors of a difference at 90 % of 400 clips are 4.2 points."""
    assert not Goal(3, 0.03, 400).too_far(Trial(0.1, 1, 0.83), [Trial(0, 0, 0.9)])
    assert Goal(3, 0.03, 400).too_far(Trial(0.1, 1, 0.82), [Trial(0, 0, 0.9)])


def test_less_accuracy_under_a_smaller_penalty_is_not_too_far():
    assert not GOAL.too_far(Trial(0, 0, 0.5), [Trial(0, 0, 0.5), Trial(0.1, 1, 0.9)])


def test_a_training_that_diverges_or_has_no_ws_is_too_far():
    trials, _ = explore(network(lambda s: s if s < 0.05 else None, lambda s: 0.9), GOAL)
    assert levels_of(trials, GOAL, 3)[-1] < 0.05
    trials, reason = explore(network(lambda s: None, lambda s: None), GOAL)
    assert len(trials) == 1 and reason.startswith("without penalty")


def test_a_ws_that_never_grows_ends_the_ladder():
    _, reason = explore(network(lambda s: 0.1, lambda s: 0.9), GOAL)
    assert "stayed under 3" in reason


def test_levels_divide_the_rise_of_ws_into_equal_parts():
    """WS is s^2: from 0 to 4 in four parts, at the square roots of 1, 2, 3 and 4."""
    trials = [Trial(s / 1000, (s / 1000) ** 2, 0.9) for s in range(2001)]
    assert levels_of(trials, GOAL, 5) == pytest.approx([0, 1, math.sqrt(2), math.sqrt(3), 2], abs=1e-3)


def test_where_ws_rises_steeply_levels_keep_their_distance():
    trials = [Trial(s / 1000, 0 if s < 999 else 3, 0.9) for s in range(1001)]
    assert levels_of(trials, GOAL, 4) == pytest.approx([0, 1 / 1.1**2, 1 / 1.1, 1])


def test_where_ws_does_not_rise_all_levels_lie_under_the_top():
    assert levels_of([Trial(s, 1, 0.9) for s in (0, 0.5, 1)], GOAL, 3) == pytest.approx([0, 1 / 1.1, 1])


def test_one_ws_that_an_outlier_threw_off_does_not_turn_a_grid_round():
    trials, _ = explore(network(lambda s: -4 if s == 0.04 else 10 * s, lambda s: 0.9), GOAL)
    levels = levels_of(trials, GOAL, 6)
    assert levels == sorted(levels) and levels[0] == 0 and levels[-1] == pytest.approx(0.32)


def test_levels_end_where_accuracy_is_the_margin_under_its_best():
    """WS is the shrinkage; accuracy falls by 6 points from 2 to 3, which 100 clips cannot tell from noise."""
    trials = [Trial(s, s, accuracy) for s, accuracy in enumerate((0.9, 0.9, 0.9, 0.84))]
    assert not any(Goal(3, 0.03, 100).too_far(trial, trials) for trial in trials)
    assert levels_of(trials, Goal(3, 0.03, 100), 6) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])


def test_one_accuracy_that_is_low_by_chance_does_not_end_a_grid():
    trials = [Trial(s, s, accuracy) for s, accuracy in enumerate((0.85, 0.82, 0.88, 0.85))]
    assert levels_of(trials, Goal(3, 0.03, 100), 4) == pytest.approx([0, 1, 2, 3])


def test_esc50s_lambdas_follow_from_esc10s_trainings_by_shrinkage():
    """Means over the seeds. 280 clips train on ESC-10, which gives the shrinkage of cells.csv, and 1,600 on ESC-50."""
    names = ["network", "lam", "seed", "ws", "accuracy"]
    evidence = ROOT / "docs/evidence"
    trials = pandas.read_csv(evidence / "esc10-even/trials.csv")
    cells = {study: pandas.read_csv(evidence / study / "cells.csv") for study in ("esc10-twelve", "esc10-even")}
    one, other = (each[each["recipe"] == "slimming-statistics"] for each in cells.values())
    merged = trials.merge(one[names], on=names[:3], suffixes=("", "_published"))
    assert len(merged) == len(one) and (merged["ws"] - merged["ws_published"]).abs().max() < 1e-12
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / "config/esc10.yaml").read_text()))
    here, there = map(training_settings(config["training"]).sum_of_rates, (280, 1600))
    assert other["shrinkage"].to_numpy() == pytest.approx((here * other["lam"]).to_numpy())
    means = pandas.concat([trials, other[names]]).groupby(["network", "lam"])[names[3:]].mean().reset_index()
    lambdas = yaml.safe_load((ROOT / "config/esc50.yaml").read_text())["lambdas"]
    assert len(lambdas) == 12
    for network, own in means.groupby("network"):
        tried = [Trial(row.lam, row.ws, row.accuracy) for row in own.sort_values("lam").itertuples()]
        levels = levels_of(tried, Goal(3, 0.03, 240), 5)
        assert [written(level * here / there) for level in levels] == lambdas[network]


@given(st.just(0.0) | st.floats(1e-3, 5), st.floats(0.02, 1), st.integers(2, 8))
def test_every_grid_starts_at_0_ascends_and_stays_within_bounds(slope, limit, levels):
    trials, _ = explore(network(lambda s: slope * s, lambda s: 0.9 if s < limit else 0.5), GOAL)
    found = levels_of(trials, GOAL, levels)
    assert len(found) == levels and found[0] == 0 and found == sorted(found) and found[-1] < limit
    assert len({written(shrinkage / 50) for shrinkage in found}) == levels
    assert len(trials) <= 2 + math.ceil(math.log2(LARGEST_SHRINKAGE / FIRST_SHRINKAGE)) + 2


@given(st.just(0.0) | st.floats(1e-20, 2))
def test_a_lambda_is_written_as_the_schema_wants_it(lam):
    text = written(lam)
    assert re.search(PATTERN["pattern"], json.loads(json.dumps(text)))
    assert float(text) == pytest.approx(min(lam, 0.9), rel=0.051)
