import json

import kneed
import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from channel_sparsity.analysis.knee import LOSSES, Rule, Trace, fixed_ends, measure, summaries
from channel_sparsity.files import StudyError

GRID = numpy.arange(20) * 0.05
CLASSES, CLIPS, ACCURACY = 10, 1000, 0.9
FULL = ACCURACY - 1 / CLASSES


def curve(loss, rate=GRID, parameters=None, masked=None, accuracy=ACCURACY):
    """curve.csv as far as a knee needs it."""
    rate, loss = numpy.asarray(rate, float), numpy.asarray(loss, float)
    return pandas.DataFrame(
        {
            "step": range(len(rate)),
            "channel_rate": rate,
            "parameter_rate": 1 - (1 - rate) ** 2 if parameters is None else parameters,
            "masked_rate": rate if masked is None else masked,
            "accuracy": accuracy - loss,
            "accuracy_loss": loss,
        }
    )


def knee_of(loss, rate=GRID, rule=None, **keywords):
    return measure(curve(loss, rate, **keywords), CLASSES, CLIPS, rule or Rule())


def hinge(rate, knee, full=FULL):
    """No loss up to the knee, then straight to chance at rate 1."""
    return full * numpy.maximum(0, numpy.asarray(rate) - knee) / (1 - knee)


def power(rate, exponent, full=FULL):
    """A smooth loss whose difference curve x - x^p is highest at p^(-1 / (p - 1))."""
    return full * numpy.asarray(rate) ** exponent


def logistic(rate, middle, width=0.04):
    """The share of the loss to chance of a curve that bends twice, 0 at rate 0."""
    start, value = (1 / (1 + numpy.exp(-(numpy.asarray(x) - middle) / width)) for x in (0, rate))
    return value - start


def brute_force(rate, loss, full):
    """The definition, point by point, with scikit-learn's isotonic fit."""
    fit = IsotonicRegression().fit(rate, loss).predict(rate)
    heights = [x - y / full for x, y in zip(rate, fit, strict=True)]
    best = 0
    for place in range(len(rate)):
        if heights[place] > heights[best] + 1e-12:
            best = place
    return best, heights


# Curves with a known knee


@pytest.mark.parametrize("knee", [0.1, 0.35, 0.6, 0.85])
def test_a_hinge_knees_where_it_bends(knee):
    result = knee_of(hinge(GRID, knee))
    assert result["status"] == "found"
    assert result["pk_grid"] == pytest.approx(knee)
    assert abs(result["pk_channels"] - knee) <= 0.025


@pytest.mark.parametrize("rate", [GRID, numpy.sort(numpy.random.default_rng(1).random(40)) * 0.97])
@pytest.mark.parametrize("exponent", [3, 6, 10])
def test_a_smooth_curve_knees_at_its_analytic_maximum(rate, exponent):
    rate = numpy.concatenate([[0], rate[1:]])
    known = exponent ** (-1 / (exponent - 1))
    result = knee_of(power(rate, exponent), rate)
    assert result["pk_channels"] == pytest.approx(known, abs=0.006)


def test_a_parabola_is_found_exactly_on_uneven_rates():
    # y / L = x^2 makes D(x) = x - x^2, a parabola with its vertex at 1/2, which no rate hits.
    rate = numpy.array([0, 0.11, 0.3, 0.37, 0.61, 0.7, 0.93])
    result = knee_of(power(rate, 2), rate)
    assert result["pk_channels"] == pytest.approx(0.5, abs=1e-12)
    assert result["pk_grid"] in (0.37, 0.61)


def test_the_knee_does_not_hang_on_how_far_the_curve_was_traced():
    whole = [knee_of(power(GRID[:end], 8), GRID[:end])["pk_channels"] for end in (20, 19, 18)]
    assert whole[0] == whole[1] == whole[2]


@given(st.lists(st.floats(-0.05, 0.85), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_it_is_the_arg_max_of_the_definition(losses, random):
    loss = numpy.array([0, *losses])
    rate = numpy.array([0, *sorted(random.sample(range(1, 1000), len(losses)))]) / 1000
    best, heights = brute_force(rate, loss, FULL)
    knee = fixed_ends(Trace.of(rate, loss), FULL)
    if heights[best] <= 1e-12:
        assert knee.status == "none"
    elif best == len(rate) - 1:
        assert (knee.status, knee.bound) == ("censored", rate[best])
    else:
        assert (knee.status, knee.grid) == ("found", rate[best])
        # The vertex of numpy's parabola through the three points, which lies within half a step.
        three = slice(best - 1, best + 2)
        before, at, after = rate[three]
        assert (before + at) / 2 - 1e-12 <= knee.position <= (at + after) / 2 + 1e-12
        square, line, _ = numpy.polyfit(rate[three] - at, numpy.array(heights)[three], 2)
        if square < -1e-3:
            assert knee.position == pytest.approx(at - line / (2 * square), abs=1e-6)


@given(st.floats(0.2, 5), st.lists(st.floats(0, 0.8), min_size=5, max_size=15))
def test_only_the_loss_relative_to_chance_matters(factor, losses):
    loss = numpy.array([0, *losses])
    rate = numpy.linspace(0, 0.95, len(loss))
    one = fixed_ends(Trace.of(rate, loss), FULL)
    other = fixed_ends(Trace.of(rate, factor * loss), factor * FULL)
    assert one.status == other.status
    if one.status == "found" and (one.margin is None or one.margin > 1e-9):
        assert other.position == pytest.approx(one.position, abs=1e-9)


@given(st.floats(0.05, 0.9))
def test_a_knee_is_a_share(knee):
    result = knee_of(hinge(GRID, knee))
    assert result["status"] == "censored" or 0 < result["pk_channels"] < 1


# Curves that are not clean


def test_the_smaller_rate_wins_a_tie():
    # From .3 to .6 the loss rises as fast as D's slope: a level stretch.
    loss = FULL * numpy.clip(GRID - 0.3, 0, 0.3)
    loss[13:] = FULL * (0.3 + 5 * (GRID[13:] - 0.6).clip(0, 0.14))
    assert knee_of(loss)["pk_grid"] == pytest.approx(0.3)


def test_a_curve_that_saturates_at_chance_knees_before_it():
    """Where kneed, offline, may answer with the last point."""
    rng = numpy.random.default_rng(0)
    last = 0
    for _ in range(50):
        loss = numpy.minimum(hinge(GRID, 0.4) * 1.6, FULL) + rng.normal(0, 0.01, 20)
        loss[0] = 0
        result = knee_of(loss)
        assert abs(result["pk_channels"] - 0.4) < 0.1
        last += result["cross_checks"]["kneed"] == GRID[-1]
    assert last > 0


def test_a_flat_curve_is_censored_at_its_end():
    result = knee_of(numpy.zeros(20))
    assert (result["status"], result["bound"], result["pk_channels"]) == (
        "censored",
        pytest.approx(0.95),
        None,
    )
    assert "95.0 %" in result["reason"]
    assert result["compression_rate"] is result["accuracy_loss"] is None


def test_a_curve_that_collapses_at_once_has_no_knee():
    loss = numpy.full(20, FULL)
    loss[0] = 0
    assert knee_of(loss[:19], GRID[:19])["status"] == "none"
    # Faster than channels go all the way, short of chance.
    assert knee_of(FULL * GRID**0.5)["status"] == "none"


def test_losses_below_zero_are_kept():
    loss = hinge(GRID, 0.6) - 0.03 * (GRID > 0)
    result = knee_of(loss)
    assert result["pk_grid"] == pytest.approx(0.6)
    assert -0.03 <= result["accuracy_loss"] < 0.01


@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf])
def test_a_loss_that_is_no_number_has_no_knee(bad):
    loss = hinge(GRID, 0.6)
    loss[7] = bad
    result = knee_of(loss)
    assert (result["status"], result["reason"]) == ("none", "the loss at step 7 is not a number")
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(("accuracy", "status"), [(0.128, "none"), (0.129, "found"), (0.05, "none")])
def test_a_network_near_chance_has_no_knee(accuracy, status):
    # Three standard errors of 1,000 guesses among ten scenes are 2.85 points.
    result = knee_of(hinge(GRID, 0.6, accuracy - 0.1), accuracy=accuracy)
    assert result["status"] == status
    assert (status == "found") or "chance" in result["reason"]


def test_an_accuracy_that_is_no_number_has_no_knee():
    assert knee_of(hinge(GRID, 0.6), accuracy=numpy.nan)["status"] == "none"


def test_one_or_two_points_have_no_knee():
    assert knee_of([0], [0])["status"] == "none"
    assert knee_of([0, 0], [0, 0.05])["status"] == "censored"


def test_steps_that_remove_nothing_more_are_one_point():
    rate = numpy.minimum(GRID, 0.9)
    loss = hinge(rate, 0.7)
    loss[-2:] += 0.02, -0.02
    plain = knee_of(hinge(GRID[:19], 0.7), GRID[:19])
    assert knee_of(loss, rate)["pk_channels"] == pytest.approx(plain["pk_channels"])
    assert knee_of(numpy.zeros(20), rate)["bound"] == pytest.approx(0.9)


def test_steps_of_one_rate_weigh_as_many_as_they_are():
    rate = numpy.array([0, 0.1, 0.2, 0.2, 0.2, 0.3, 0.3, 0.4])
    loss = numpy.array([0, 0.3, 0.1, 0.2, 0.1, 0.05, 0.1, 0.5])
    trace = Trace.of(rate, loss)
    independent = IsotonicRegression().fit(rate, loss)
    numpy.testing.assert_allclose(trace.fit, independent.predict(trace.rate))


def test_a_first_step_that_removes_nothing_can_censor_at_the_start():
    result = knee_of([0, -0.2, 0.8, 0.8], [0, 0, 0.05, 0.1])
    assert (result["status"], result["bound"]) == ("censored", 0)


def test_the_parabola_beats_the_grid_on_noisy_curves():
    """At one point of noise the arg max of a 5 % grid is off by about .02, the parabola by about .012."""
    rng = numpy.random.default_rng(3)
    fine = numpy.linspace(0, 1, 10_001)
    grid, vertex = [], []
    for middle in rng.uniform(0.6, 0.9, 300):
        known = fine[numpy.argmax(fine - logistic(fine, middle))]
        loss = FULL * logistic(GRID, middle) + numpy.r_[0, rng.normal(0, 0.01, 19)]
        knee = fixed_ends(Trace.of(GRID, loss), FULL)
        grid.append(knee.grid - known)
        vertex.append(knee.position - known)
    grid, vertex = (numpy.sqrt(numpy.mean(numpy.square(errors))) for errors in (grid, vertex))
    assert 0.015 < grid < 0.025
    assert vertex < min(0.7 * grid, 0.015)


# What stands beside PK


def test_the_margin_is_over_the_second_local_maximum():
    loss = FULL * numpy.array([0, 0, 0, 0, 0.35, 0.35, 0.35, 0.35, 0.9, 1])
    rate = numpy.arange(10) / 10
    # D: 0 .1 .2 .3 .05 .15 .25 .35 -.1 -.1
    result = knee_of(loss, rate)
    assert result["pk_grid"] == pytest.approx(0.7)
    assert (result["rival"], result["margin"]) == (pytest.approx(0.3), pytest.approx(0.05))
    single = knee_of(power(GRID, 4))
    assert single["margin"] is single["rival"] is None


def test_both_axes_and_what_surgery_removes_there():
    parameters = 1 - (1 - GRID) ** 2
    loss = power(GRID, 8)
    result = knee_of(loss, parameters=parameters, masked=0.5 * GRID)
    alone = knee_of(loss, parameters)["pk_channels"]
    assert result["pk_parameters"] == pytest.approx(alone)
    pk = result["pk_channels"]
    assert result["compression_rate"] == pytest.approx(1 - (1 - pk) ** 2, abs=2e-3)
    assert result["masked_rate"] == pytest.approx(pk / 2)
    assert result["accuracy_loss"] == pytest.approx(numpy.interp(pk, GRID, loss))
    assert result["accuracy_loss_grid"] == pytest.approx(loss[result["pk_grid"] == GRID][0])


def test_the_axis_is_a_setting():
    channels, parameters = (knee_of(power(GRID, 8), rule=Rule(axis=axis)) for axis in ("channels", "parameters"))
    assert channels["pk_parameters"] == parameters["pk_parameters"]
    assert parameters["axis"] == "parameters"
    assert parameters["compression_rate"] == pytest.approx(parameters["pk_parameters"])
    assert parameters["pk_grid"] in 1 - (1 - GRID) ** 2


def test_kneed_can_be_the_rule():
    loss = power(GRID, 6)
    answer = kneed.KneeLocator(GRID, loss, S=2.0, curve="convex", direction="increasing", online=True)
    result = knee_of(loss, rule=Rule("kneed", sensitivity=2.0, online=True))
    assert result["pk_channels"] == result["pk_grid"] == answer.knee
    nothing = knee_of(loss, rule=Rule("kneed", sensitivity=100.0))
    assert (nothing["status"], nothing["pk_channels"]) == ("none", None)
    assert "sensitivity of 100" in nothing["reason"]
    flat = knee_of(numpy.zeros(20), rule=Rule("kneed"))
    assert flat["status"] == "none"


def test_kneed_agrees_where_a_curve_is_clean_and_whole():
    rate = numpy.linspace(0, 1, 21)
    result = knee_of(power(rate, 7), rate)
    assert result["cross_checks"]["kneed"] == result["pk_grid"]
    assert result["cross_checks"]["fixed_ends"] == result["pk_channels"]


def test_pk_is_null_unless_found_and_every_result_is_json_with_the_same_keys():
    results = [knee_of(hinge(GRID, 0.5)), knee_of(numpy.zeros(20)), knee_of(FULL * GRID**0.5)]
    results.append(knee_of(numpy.full(20, numpy.nan)))
    assert [result["status"] for result in results] == ["found", "censored", "none", "none"]
    assert [result["pk_channels"] is None for result in results] == [False, True, True, True]
    assert len({tuple(result) for result in results}) == 1
    json.dumps(results, allow_nan=False)


# Bad input


def test_settings_that_do_not_exist_are_named():
    with pytest.raises(StudyError, match="fixed_ends or kneed"):
        Rule("elbow")
    with pytest.raises(StudyError, match="channels, parameters, masked"):
        Rule(axis="layers")


def test_a_missing_column_is_named():
    with pytest.raises(StudyError, match=r"curve\.csv has no column masked_rate"):
        measure(curve(power(GRID, 4)).drop(columns="masked_rate"), CLASSES, CLIPS, Rule())


@pytest.mark.parametrize("rate", [[0.1, 0.2, 0.3], [0, 0.5, 1.5], [0, numpy.nan, 0.5], [0, -0.1, 0.5]])
def test_rates_that_are_no_shares_are_refused(rate):
    with pytest.raises(StudyError, match="rates that are no shares"):
        knee_of([0, 0.1, 0.5], rate)


# Other summaries of a curve


def test_summaries_by_hand():
    # No loss to 0.4, then 0.04 at 0.6 and 0.24 at 0.8; all of 0.8 is lost at 1.
    trace = Trace.of(numpy.array([0, 0.4, 0.6, 0.8]), numpy.array([0, 0, 0.04, 0.24]))
    area = 0.2 * (0.02 + 0.14 + 0.52)
    expected = {
        "share_kept": 1 - area / 0.8,
        "rate_at_1_point": 0.45,
        "rate_at_2_points": 0.5,
        "rate_at_3_points": 0.55,
        "rate_at_5_points": 0.61,
    }
    assert summaries(trace, 0.8) == pytest.approx(expected)


def test_a_step_that_dips_does_not_count_as_reaching_a_loss():
    # Pooled, the second and third step lose 0.015 each.
    trace = Trace.of(numpy.array([0, 0.2, 0.4, 0.6]), numpy.array([0, 0.03, 0, 0.03]))
    found = summaries(trace, 0.8)
    assert found["rate_at_1_point"] == pytest.approx(0.2 * 1 / 1.5)
    assert found["rate_at_2_points"] == pytest.approx(0.4 + 0.2 * 0.005 / 0.015)


def test_a_plateau_at_a_loss_counts_to_its_end():
    trace = Trace.of(numpy.array([0, 0.3, 0.6, 0.9]), numpy.array([0, 0.01, 0.01, 0.3]))
    assert summaries(trace, 0.8)["rate_at_1_point"] == pytest.approx(0.6)


def test_a_curve_that_ends_early_goes_on_to_chance():
    found = summaries(Trace.of(numpy.array([0, 0.5]), numpy.array([0, 0.0])), 0.5)
    assert found["rate_at_5_points"] == pytest.approx(0.55)
    assert found["share_kept"] == pytest.approx(0.75)


def test_what_can_never_be_lost_is_kept_to_the_end():
    found = summaries(Trace.of(numpy.array([0, 0.5, 1]), numpy.array([0, 0.02, 0.1])), 0.04)
    assert found["rate_at_5_points"] == 1
    assert found["share_kept"] == pytest.approx(1 - 0.5 * (0.01 + 0.03) / 0.04)


@given(st.lists(st.floats(0, 0.8), min_size=2, max_size=20))
def test_rates_rise_with_the_loss_and_lie_on_the_fit(losses):
    rate = numpy.linspace(0, 0.95, len(losses) + 1)
    trace = Trace.of(rate, numpy.array([0, *losses]))
    found = summaries(trace, 0.8)
    rates = [found[name] for name in LOSSES]
    assert rates == sorted(rates)
    assert 0 <= found["share_kept"] <= 1
    for at, limit in zip(rates, LOSSES.values(), strict=True):
        fit = numpy.interp([at - 1e-9, at + 1e-9], [*rate, 1], [*trace.fit, 0.8])
        assert fit[0] - 1e-6 <= limit <= fit[1] + 1e-6


def test_summaries_stand_in_the_record_also_where_there_is_no_knee():
    assert measure(curve(hinge(GRID, 0.6)), 10, 1000, Rule())["summaries"]["rate_at_1_point"] > 0.6
    at_chance = measure(curve(hinge(GRID, 0.6), accuracy=0.1), 10, 1000, Rule())
    assert set(at_chance["summaries"]) == {"share_kept", *LOSSES}
    assert not any(at_chance["summaries"].values())
