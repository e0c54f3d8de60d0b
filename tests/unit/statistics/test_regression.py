import itertools
import math

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.api import OLS, add_constant

from channel_sparsity.claims.paper import TABLE_1
from channel_sparsity.statistics.regression import (
    Estimate,
    combine,
    correlate,
    difference_of_correlations,
    fisher,
    leave_one_out,
    mean_of_values,
    pearson,
    regress,
    sign,
    tau_b,
)

WS = numpy.array([row.ws for row in TABLE_1])
points = st.lists(st.tuples(st.floats(-3, 5), st.floats(0, 1)), min_size=4, max_size=8)


@pytest.mark.parametrize(
    ("method", "r", "interval", "m", "b"),
    [("slimming", 0.929, (0.47, 0.99), 0.061, 0.658), ("ista", 0.955, (0.64, 1.0), 0.053, 0.728)],
)
def test_the_papers_own_table_1(method, r, interval, m, b):
    pk = [getattr(row, method).pk for row in TABLE_1]
    line, found = regress(WS, pk), correlate(WS, pk)
    assert (round(found["r"], 3), round(found["r_low"], 2), round(found["r_high"], 2)) == (r, *interval)
    assert (round(line["m"], 3), round(line["b"], 3)) == (m, b)


@given(st.floats(-0.99, 0.99), st.integers(4, 40))
def test_fishers_interval_is_scipys(r, n):
    x = numpy.random.default_rng(n).normal(size=(2, n))
    ours = fisher(pearson(*x)[1], n)
    assert ours == pytest.approx(tuple(stats.pearsonr(*x).confidence_interval()))
    low, high = fisher(r, n)
    assert -1 <= low < r < high <= 1


@given(points)
def test_equations_8_to_10(pairs):
    x, y = numpy.array(pairs).T
    assume(x.std() > 0.1 and y.std() > 0.01)
    dx, dy = x - x.mean(), y - y.mean()
    line = regress(x, y)
    assert line["m"] == pytest.approx((dx * dy).sum() / (dx**2).sum(), abs=1e-9)
    assert line["b"] == pytest.approx(y.mean() - line["m"] * x.mean(), abs=1e-9)
    r = (dx * dy).sum() / math.sqrt((dx**2).sum() * (dy**2).sum())
    assert pearson(x, y) == (len(x), pytest.approx(r, abs=1e-9))


def test_p_counts_every_pairing():
    x, y = [0.1, 0.4, 1.0, 1.2, 3.0], [0.5, 0.45, 0.7, 0.6, 0.8]
    observed = abs(numpy.corrcoef(x, y)[0, 1])
    pairings = [abs(numpy.corrcoef(order, y)[0, 1]) for order in itertools.permutations(x)]
    assert correlate(x, y)["p"] == pytest.approx(sum(r >= observed - 1e-12 for r in pairings) / 120)


def test_p_beyond_eight_points_is_the_same_each_time():
    x, y = numpy.random.default_rng(0).random((2, 20))
    p = correlate(x, y)["p"]
    assert p == correlate(x, y)["p"]
    assert p == pytest.approx(stats.pearsonr(x, y).pvalue, abs=0.02)


@given(points)
def test_the_line_and_its_intervals_are_statsmodels(pairs):
    x, y = numpy.array(pairs).T
    assume(x.std() > 0.1 and y.std() > 0.01)
    line, fit = regress(x, y), OLS(y, add_constant(x)).fit()
    # SciPy has the error from 1 - r^2, which rounding leaves 1e-8 of where points lie on a line.
    assert [(line[f"{name}_low"], line[f"{name}_high"]) for name in "bm"] == pytest.approx(fit.conf_int(), abs=1e-6)


def test_tau_b_takes_ties_into_account():
    # Six pairs: five in order, one tied in y alone. 5 / sqrt(6 * 5).
    assert tau_b([1, 2, 3, 4], [0.1, 0.2, 0.2, 0.3]) == (4, pytest.approx(5 / math.sqrt(30)))


@pytest.mark.parametrize(
    ("ws", "pk", "n", "reason"),
    [
        ([], [], 0, "needs at least 3 points, has 0"),
        ([1, 2], [0.1, 0.2], 2, "needs at least 3 points, has 2"),
        ([1, 1, 1], [0.1, 0.2, 0.3], 3, "WS does not vary"),
        ([1, 2, numpy.nan, 3], [0.1, None, 0.3, 0.4], 2, "needs at least 3 points, has 2"),
    ],
)
def test_too_little_to_say_has_a_reason(ws, pk, n, reason):
    correlation, line = correlate(ws, pk), regress(ws, pk)
    for row in (correlation, line):
        assert (row.pop("n"), row.pop("reason")) == (n, reason) and set(row.values()) == {None}
    assert pearson(ws, pk) == tau_b(ws, pk) == (n, None)


@pytest.mark.parametrize("pk", [0.0, 0.5])
def test_a_pk_that_does_not_vary_has_a_line_that_is_certain_but_no_correlation(pk):
    ws, flat = [1, 2, 3, 4], [pk] * 4
    assert (correlate(ws, flat)["r"], correlate(ws, flat)["reason"]) == (None, "PK does not vary")
    line = regress(ws, flat)
    assert [line[f"m{bound}"] for bound in ("", "_low", "_high")] == [0] * 3
    assert [line[f"b{bound}"] for bound in ("", "_low", "_high")] == [pk] * 3


def test_three_points_have_r_but_no_interval():
    result = correlate([1, 2, 3], [0.1, 0.3, 0.2])
    assert result["r"] == pytest.approx(0.5)
    assert (result["r_low"], result["r_high"]) == (None, None)
    assert "4 points" in result["reason"]
    assert regress([1, 2, 3], [0.1, 0.3, 0.2])["m_low"] < 0


def test_a_perfect_line_has_bounds_without_warnings():
    result = correlate([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])
    assert result["r"] == pytest.approx(1)
    assert 0.99 < result["r_low"] <= result["r_high"] <= 1


def test_missing_values_drop_their_pair():
    x, y = [1.0, 2, 3, 4, 5], [0.1, 0.25, numpy.nan, 0.3, 0.6]
    kept = correlate([1.0, 2, 4, 5], [0.1, 0.25, 0.3, 0.6])
    assert correlate(x, y) == kept


def test_r_without_each_point_in_turn():
    x, y = [0.0, 1, 2, 3, 10], [0.5, 0.4, 0.7, 0.6, 0.1]
    kept = [numpy.corrcoef(numpy.delete(x, i), numpy.delete(y, i))[0, 1] for i in range(5)]
    assert leave_one_out(x, y) == pytest.approx((min(kept), max(kept)))
    assert leave_one_out(x, y)[1] > 0 > pearson(x, y)[1], "one point can turn the sign"
    assert leave_one_out([1, 2, 3], [1, 2, 3]) == (None, None)
    assert leave_one_out([1, 2, 2, 2], [1, 2, 3, 4]) == (None, None), "without the first WS does not vary"


def test_only_an_interval_without_0_has_a_sign():
    assert (sign(0.1, 0.2), sign(-0.2, -0.1, "better", "worse")) == ("positive", "worse")
    for interval in ((-0.1, 0.2), (0.0, 0.2), (-0.2, 0.0), (None, None), (numpy.nan, numpy.nan)):
        assert sign(*interval) == "undecided"


def test_a_difference_of_means_is_welchs():
    a, b = numpy.array([0.7, 0.8, 0.74]), numpy.array([0.5, 0.9, 0.4, 0.3, 0.6])
    welch = stats.ttest_ind(a, b, equal_var=False)
    ours = combine([1, -1], [mean_of_values(a), mean_of_values(b)])
    assert ours.value == pytest.approx(a.mean() - b.mean())
    assert ours.df == pytest.approx(welch.df)
    assert ours.interval() == pytest.approx(tuple(welch.confidence_interval()))


def test_a_known_error_gives_a_normal_interval():
    both = combine([0.5, 0.5], [Estimate(1, 3), Estimate(2, 4)])
    assert (both.value, both.error) == (1.5, 2.5)
    assert both.interval(0.9) == pytest.approx(stats.norm.interval(0.9, 1.5, 2.5))
    assert combine([1, -1], [Estimate(1, 0, 2), Estimate(1, 0, 2)]).interval() == (0, 0)


def test_zous_own_example_of_correlations_that_share_a_variable():
    # Zou (2007), Psychological Methods 12, p. 410.
    low, high = difference_of_correlations(0.396, 0.179, 0.088, 66)
    assert (round(low, 3), round(high, 3)) == (-0.093, 0.517)


@given(st.floats(-0.95, 0.95), st.floats(-0.95, 0.95), st.floats(0, 1), st.integers(4, 60))
def test_a_difference_lies_in_its_interval_which_turns_round_with_it(r, other, place, n):
    # Any correlation that the other two can have, given theirs with x.
    between = r * other + ((1 - r**2) * (1 - other**2)) ** 0.5 * (2 * place - 1)
    low, high = difference_of_correlations(r, other, between, n)
    assert low <= r - other <= high
    assert difference_of_correlations(other, r, between, n) == pytest.approx((-high, -low), abs=1e-9)


def test_the_interval_of_a_difference_is_the_bootstraps_where_points_abound():
    rng = numpy.random.default_rng(1)
    sample = rng.multivariate_normal([0, 0, 0], [[1, 0.7, 0.5], [0.7, 1, 0.6], [0.5, 0.6, 1]], size=2000)

    def difference(rows):
        r = numpy.corrcoef(sample[rows].T)
        return r[0, 1] - r[0, 2]

    drawn = [difference(rng.integers(0, 2000, 2000)) for _ in range(2000)]
    r = numpy.corrcoef(sample.T)
    for confidence in (0.95, 0.8):
        ours = difference_of_correlations(r[0, 1], r[0, 2], r[1, 2], 2000, confidence)
        assert ours == pytest.approx(numpy.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]), abs=0.004)


def test_correlations_have_no_interval_under_four_points():
    assert fisher(0.5, 3) == difference_of_correlations(0.5, 0.1, 0.2, 3) == (None, None)


def test_correlations_on_a_line_do_not_break_their_difference():
    assert difference_of_correlations(1.0, 1.0, 1.0, 6) == pytest.approx((0, 0), abs=1e-6)
    low, high = difference_of_correlations(1.0, -0.5, -0.5, 6)
    assert low < 1.5 < high
