import itertools
import json
from fractions import Fraction

import kneed
import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from channel_sparsity.files import StudyError
from channel_sparsity.measuring.knee import (
    CHECKS,
    LOSSES,
    SUMMARIES,
    Rule,
    Trace,
    fixed_ends,
    literal,
    measure,
    rate_within,
    summaries,
)

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
    assert result["pk_grid"] == result["pk_channels"] == pytest.approx(knee)


@pytest.mark.parametrize("rate", [GRID, numpy.sort(numpy.random.default_rng(1).random(40)) * 0.97])
@pytest.mark.parametrize("exponent", [2, 3, 6, 10])
def test_a_smooth_curve_knees_at_the_step_by_its_analytic_maximum(rate, exponent):
    rate = numpy.concatenate([[0], rate[1:]])
    known = exponent ** (-1 / (exponent - 1))
    beside = rate[rate <= known].max(), rate[rate > known].min()
    highest = max(beside, key=lambda x: round(x - x**exponent, 12))
    assert knee_of(power(rate, exponent), rate)["pk_channels"] == highest


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
        assert (knee.status, knee.position) == ("found", rate[best])


@given(st.floats(0.2, 5), st.lists(st.floats(0, 0.8), min_size=5, max_size=15))
def test_only_the_loss_relative_to_chance_matters(factor, losses):
    loss = numpy.array([0, *losses])
    rate = numpy.linspace(0, 0.95, len(loss))
    one = fixed_ends(Trace.of(rate, loss), FULL)
    other = fixed_ends(Trace.of(rate, factor * loss), factor * FULL)
    best, heights = brute_force(rate, loss, FULL)
    rival = max(height for place, height in enumerate(heights) if place != best)
    if heights[best] > 1e-9 and heights[best] > rival + 1e-9:
        assert other == one


# Straight curves


def noisy(accuracy, clips, rng):
    """A curve of accuracies of which each step is measured on as many clips."""
    right = rng.binomial(clips, accuracy) / clips
    return curve(right[0] - right, accuracy=right[0])


def statuses(accuracy, clips, runs, seed):
    """The share of each status among knees of as many noisy curves."""
    rng = numpy.random.default_rng(seed)
    found = [measure(noisy(accuracy, clips, rng), CLASSES, clips, Rule())["status"] for _ in range(runs)]
    return {status: found.count(status) / runs for status in ("found", "censored", "none")}


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.8, 0.9, 0.95])
def test_a_straight_curve_seldom_knees_nor_beyond_its_end_whatever_160_clips_make_of_it(accuracy):
    assert statuses(accuracy - (accuracy - 0.1) * GRID, 160, 400, seed=1)["none"] >= 0.95


@pytest.mark.parametrize("knee", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
@pytest.mark.parametrize("accuracy", [0.7, 0.9])
def test_a_bend_is_found_in_spite_of_160_clips(knee, accuracy):
    assert statuses(accuracy - hinge(GRID, knee, accuracy - 0.1), 160, 200, seed=2)["found"] >= 0.95


@pytest.mark.parametrize(
    ("bend", "clips", "needed"), [(0.1, 1000, None), (0.09, 1000, "0.10"), (0.19, 60, None), (0.18, 60, "0.19")]
)
def test_a_knee_takes_two_steps_of_bend_and_two_standard_errors(bend, clips, needed):
    # Of 60 clips, twice the error of a difference: 2 sqrt((.9 * .1 + .5 * .5) / 60) / .8 = .188.
    rate = numpy.linspace(0, 1, 101)
    result = measure(curve(hinge(rate, bend), rate), CLASSES, clips, Rule())
    assert result["bend"] == pytest.approx(bend)
    if needed is None:
        assert (result["status"], result["pk_channels"]) == ("found", pytest.approx(bend))
    else:
        words = f"the curve is too straight for a knee: it bends by {bend:.2f}, where {needed} is needed"
        assert (result["status"], result["reason"]) == ("none", words)
        assert result["pk_channels"] is result["pk_grid"] is result["accuracy_loss"] is None
        assert set(result["cross_checks"].values()) == set(result["cross_check_losses"].values()) == {None}
        assert result["summaries"]["share_kept"] > 0.5, "what needs no knee is there"


def test_each_axis_is_straight_or_bent_by_itself():
    # Straight in channels, but the first parameters to go cost nothing.
    result = knee_of(FULL * GRID, parameters=1 - (1 - GRID) ** 3)
    assert (result["status"], result["pk_channels"]) == ("none", None)
    assert result["pk_parameters"] is not None and result["axes"]["parameters"]["status"] == "found"
    assert result["bend"] == pytest.approx(0, abs=1e-9)
    other = knee_of(FULL * GRID, parameters=1 - (1 - GRID) ** 3, rule=Rule(axis="parameters"))
    assert other["bend"] == pytest.approx(max(1 - (1 - x) ** 3 - x for x in GRID))


# Curves that are not clean


def test_the_smaller_rate_wins_a_tie():
    # From .3 to .6 the loss rises as fast as D's slope: a level stretch.
    loss = FULL * numpy.clip(GRID - 0.3, 0, 0.3)
    loss[13:] = FULL * (0.3 + 5 * (GRID[13:] - 0.6).clip(0, 0.14))
    assert knee_of(loss)["pk_grid"] == pytest.approx(0.3)


def test_a_curve_that_saturates_at_chance_knees_before_it():
    """Where kneed, offline, may answer with the last point, which says no more than "beyond"."""
    rng = numpy.random.default_rng(0)
    last = 0
    for _ in range(50):
        loss = numpy.minimum(hinge(GRID, 0.4) * 1.6, FULL) + rng.normal(0, 0.01, 20)
        loss[0] = 0
        result = knee_of(loss)
        assert abs(result["pk_channels"] - 0.4) < 0.1
        answer = kneed.KneeLocator(GRID, loss, S=1.0, curve="convex", direction="increasing").knee
        assert result["cross_checks"]["kneed"] == (None if answer == GRID[-1] else answer)
        if answer == GRID[-1]:
            own = knee_of(loss, rule=Rule("kneed"))
            assert (own["status"], own["bound"], own["pk_channels"]) == ("censored", GRID[-1], None)
            last += 1
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


@pytest.mark.parametrize(("accuracy", "at_chance"), [(0.128, True), (0.129, False), (0.05, True)])
def test_a_network_near_chance_has_no_knee(accuracy, at_chance):
    # Three standard errors of 1,000 guesses among ten scenes are 2.85 points.
    result = knee_of(hinge(GRID, 0.6, accuracy - 0.1), accuracy=accuracy)
    assert result["status"] == "none"
    assert ("chance" in result["reason"]) == at_chance
    assert ("too straight" in result["reason"]) == (not at_chance), "no bend of so little stands out from noise"
    assert all((value is None) == at_chance for value in result["summaries"].values())


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


# What stands beside PK


def test_the_margin_is_over_the_second_local_maximum():
    loss = FULL * numpy.array([0, 0, 0, 0, 0.35, 0.35, 0.35, 0.35, 0.9, 1])
    rate = numpy.arange(10) / 10
    # D: 0 .1 .2 .3 .05 .15 .25 .35 -.1 -.1
    result = knee_of(loss, rate)
    assert result["pk_grid"] == pytest.approx(0.7)
    assert result["margin"] == pytest.approx(0.05)
    assert knee_of(power(GRID, 4))["margin"] is None


def test_both_axes_and_what_surgery_removes_there():
    parameters = 1 - (1 - GRID) ** 2
    loss = power(GRID, 8)
    result = knee_of(loss, parameters=parameters, masked=0.5 * GRID)
    alone = knee_of(loss, parameters)["pk_channels"]
    assert result["pk_parameters"] == pytest.approx(alone)
    pk = result["pk_channels"]
    assert result["compression_rate"] == pytest.approx(1 - (1 - pk) ** 2)
    assert result["masked_rate"] == pytest.approx(pk / 2)
    assert result["accuracy_loss"] == result["accuracy_loss_grid"] == pytest.approx(loss[pk == GRID][0])


@given(st.lists(st.floats(-0.05, 0.85), min_size=5, max_size=20))
def test_the_loss_at_pk_is_of_the_fit_and_as_measured(losses):
    loss = numpy.array([0, *losses])
    rate = numpy.linspace(0, 0.95, len(loss))
    fit = IsotonicRegression().fit(rate, loss).predict(rate)
    result = knee_of(loss, rate)
    assert result["bend"] == pytest.approx(max(brute_force(rate, loss, FULL)[1]), abs=1e-9)
    if result["status"] == "found":
        (place,) = numpy.flatnonzero(rate == result["pk_channels"])
        assert result["accuracy_loss"] == pytest.approx(fit[place], abs=1e-12)
        assert result["accuracy_loss_grid"] == loss[place]
    for name in CHECKS:
        place, lost = result["cross_checks"][name], result["cross_check_losses"][name]
        assert (place is None) == (lost is None)
        if place is not None:
            assert lost == pytest.approx(fit[rate == place][0], abs=1e-12)


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
    assert result["pk_channels"] == result["pk_grid"] == result["cross_checks"]["kneed_online"] == answer.knee
    nothing = knee_of(loss, rule=Rule("kneed", sensitivity=100.0))
    assert (nothing["status"], nothing["pk_channels"]) == ("none", None)
    assert "sensitivity of 100" in nothing["reason"]
    flat = knee_of(numpy.zeros(20), rule=Rule("kneed"))
    assert flat["status"] == "none"


def test_kneed_agrees_where_a_curve_is_clean_and_whole():
    rate = numpy.linspace(0, 1, 21)
    result = knee_of(power(rate, 7), rate)
    assert list(result["cross_checks"]) == ["fixed_ends", "literal", "kneed", "kneed_online"]
    assert set(result["cross_checks"].values()) == {result["pk_channels"]}


@given(st.lists(st.floats(-0.05, 0.85), min_size=3, max_size=20))
def test_kneed_never_finds_a_knee_at_an_end(losses):
    loss = numpy.array([0, *losses])
    rate = numpy.linspace(0, 0.95, len(loss))
    for online in (False, True):
        result = knee_of(loss, rate, Rule("kneed", online=online))
        assert result["pk_channels"] not in (0, rate[-1])
        assert result["status"] != "censored" or result["bound"] in (0, rate[-1])


# Section 2.3 to the letter


def to_the_letter(rates, losses, psi):
    """From left to right: the first local maximum of x - y behind which it falls under the threshold of Eq. 7.

    In whole numbers, so that nothing is rounded. The rate, or None.
    """
    x = [Fraction(rate - min(rates), max(rates) - min(rates)) for rate in rates]
    y = [Fraction(loss - min(losses), max(losses) - min(losses)) for loss in losses]
    heights = [one - other for one, other in zip(x, y, strict=True)]
    mean_step = sum(after - before for before, after in itertools.pairwise(x)) / (len(x) - 1)
    candidate = threshold = None
    for place in range(1, len(x)):
        if candidate is not None and heights[place] < threshold:
            return rates[candidate]
        if place + 1 < len(x) and heights[place - 1] < heights[place] > heights[place + 1]:
            candidate, threshold = place, heights[place] - psi * mean_step
    return None


@given(
    st.lists(st.integers(-8, 130), min_size=2, max_size=20).filter(lambda losses: any(losses)),
    # About 0, 1 and 2.5; by this prime, so that nothing comes to lie on a threshold.
    st.sampled_from([Fraction(0), Fraction(998, 997), Fraction(2493, 997)]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_literal_rule_is_the_first_confirmed_maximum_from_left_to_right(losses, psi, even, random):
    losses, count = [0, *losses], len(losses)
    rates = [0, *(range(5, 5 * count + 1, 5) if even else sorted(random.sample(range(1, 101), count)))]
    expected = to_the_letter(rates, losses, psi)
    found = literal(Trace.of(numpy.array(rates) / 100, numpy.array(losses) / 160), float(psi))
    if expected is None:
        assert (found.status, found.position) == ("none", None) and "(Eq. 7)" in found.reason
    else:
        assert (found.status, found.position) == ("found", expected / 100)


def test_what_lies_on_the_threshold_is_not_below_it():
    losses = [0, 0, 8, 16, 24, 32, 56, 64, 80, 88, 88, 104, 112, 120, 128, 136, 136, 144, 152, 152]
    assert to_the_letter(list(range(0, 100, 5)), losses, 1) is None
    assert literal(Trace.of(GRID, numpy.array(losses) / 160), 1.0).status == "none"


def test_the_literal_rule_takes_the_first_of_two_knees_and_fixed_ends_the_higher():
    loss = FULL * numpy.array([0, 0, 0, 0, 0.35, 0.35, 0.35, 0.35, 0.9, 1])
    rate = numpy.arange(10) / 10
    result = knee_of(loss, rate)
    assert (result["cross_checks"]["literal"], result["pk_channels"]) == (0.3, 0.7)
    by_letter = knee_of(loss, rate, Rule("literal"))
    assert (by_letter["rule"], by_letter["pk_channels"]) == ("literal", 0.3)
    # A step is 1/9; behind .3, x - y falls by .35 - 1/9, more than two of them.
    assert knee_of(loss, rate, Rule("literal", sensitivity=2.0))["pk_channels"] == 0.3
    assert knee_of(loss, rate, Rule("literal", sensitivity=2.5))["pk_channels"] == 0.7


@pytest.mark.parametrize(("psi", "knees"), [(1.0, (0.3, 0.7, 0.3)), (2.5, (0.7, 0.7, 0.3))])
def test_kneed_cannot_stand_for_the_literal_rule(psi, knees):
    """Offline it misses the first of two knees, online the second where only that one falls by psi steps."""
    loss = FULL * numpy.array([0, 0, 0, 0, 0.35, 0.35, 0.35, 0.35, 0.9, 1])
    checks = knee_of(loss, numpy.arange(10) / 10, Rule("literal", sensitivity=psi))["cross_checks"]
    assert (checks["literal"], checks["kneed"], checks["kneed_online"]) == knees


def test_the_literal_rule_reads_losses_as_they_were_measured():
    # One lucky step: the isotonic fit has no local maximum there.
    loss = hinge(GRID, 0.7)
    loss[5:8] += 0.15, 0.0, 0.15
    trace = Trace.of(GRID, loss)
    assert literal(trace, 1.0).position == GRID[4]
    assert fixed_ends(trace, FULL).position == pytest.approx(0.7)


def test_the_literal_rule_needs_three_points_and_a_loss():
    for loss, rate in (([0, 0.5], [0, 0.5]), ([0, 0, 0, 0], [0, 0.1, 0.2, 0.3])):
        assert literal(Trace.of(numpy.array(rate), numpy.array(loss)), 1.0).status == "none"


def test_pk_is_null_unless_found_and_every_result_is_json_with_the_same_keys():
    results = [knee_of(hinge(GRID, 0.5)), knee_of(numpy.zeros(20)), knee_of(FULL * GRID**0.5)]
    results.append(knee_of(numpy.full(20, numpy.nan)))
    assert [result["status"] for result in results] == ["found", "censored", "none", "none"]
    assert [result["pk_channels"] is None for result in results] == [False, True, True, True]
    assert len({tuple(result) for result in results}) == 1
    json.dumps(results, allow_nan=False)


# Bad input


def test_settings_that_do_not_exist_are_named():
    with pytest.raises(StudyError, match="fixed_ends, literal, kneed"):
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


def test_what_can_never_be_lost_is_kept_to_the_end():
    found = summaries(Trace.of(numpy.array([0, 0.5, 1]), numpy.array([0, 0.02, 0.1])), 0.04)
    assert found["rate_at_5_points"] == 1
    assert found["share_kept"] == pytest.approx(1 - 0.5 * (0.01 + 0.03) / 0.04)


@given(st.lists(st.integers(-8, 144), min_size=1, max_size=20), st.integers(-16, 144))
def test_the_rate_within_a_loss_is_the_largest_on_the_fit_to_chance(losses, limit):
    rate = numpy.linspace(0, 0.95, len(losses) + 1)
    loss, limit = numpy.array([0, *losses]) / 160, limit / 160 + 1e-9
    fit = IsotonicRegression().fit(rate, loss).predict(rate)
    fine = numpy.linspace(0, 1, 20_001)
    within = fine[numpy.interp(fine, [*rate, 1], [*numpy.minimum(fit, FULL), FULL]) <= limit]
    found = rate_within(Trace.of(rate, loss), FULL, limit)
    assert found == pytest.approx(within.max() if len(within) else 0, abs=1e-4)


def test_summaries_stand_in_the_record_also_where_there_is_no_knee():
    assert measure(curve(hinge(GRID, 0.6)), 10, 1000, Rule())["summaries"]["rate_at_1_point"] > 0.6
    at_chance = measure(curve(hinge(GRID, 0.6), accuracy=0.1), 10, 1000, Rule())
    assert set(at_chance["summaries"]) == set(SUMMARIES) == {"share_kept", *LOSSES}
    assert not any(at_chance["summaries"].values())
