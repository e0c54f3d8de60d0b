import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from channel_sparsity.analysis.within import Estimate, Within, decide, difference_interval, fisher_interval


@pytest.fixture
def drawn():
    """Predictor, a second one, PK and network of cells of three networks that lie far apart."""
    rng = numpy.random.default_rng(3)
    networks = numpy.repeat(["a", "b", "c"], [4, 6, 5])
    x = rng.normal(size=15) + 5 * (networks == "b")
    other = 0.6 * x + rng.normal(size=15)
    y = 0.05 * x + rng.normal(0, 0.05, 15) - 0.5 * (networks == "b") + 0.2 * (networks == "c")
    return x, other, y, networks


def dummies(networks, *columns):
    """A design matrix with an intercept for each network."""
    names = numpy.unique(networks)
    return numpy.column_stack([*(networks == name for name in names), *columns]).astype(float)


def residuals(y, design):
    return y - design @ numpy.linalg.lstsq(design, y, rcond=None)[0]


def test_one_network_is_an_ordinary_correlation_and_regression():
    rng = numpy.random.default_rng(0)
    x, y = rng.normal(size=(2, 7))
    within = Within(y, ["a"] * 7)
    ordinary, line = stats.pearsonr(x, y), stats.linregress(x, y)
    r, slope = within.correlation(x), within.slope(x)
    assert (r.value, r.low, r.high) == pytest.approx((ordinary.statistic, *ordinary.confidence_interval()))
    half = stats.t.ppf(0.975, 5) * line.stderr
    assert (slope.value, slope.low, slope.high) == pytest.approx((line.slope, line.slope - half, line.slope + half))


def test_several_networks_are_a_regression_with_an_intercept_for_each(drawn):
    x, other, y, networks = drawn
    plain = dummies(networks)
    r = Within(y, networks).correlation(x)
    assert r.value == pytest.approx(stats.pearsonr(residuals(x, plain), residuals(y, plain)).statistic)
    # 15 cells, two intercepts more than one: 10 degrees of freedom for Fisher's z.
    z, half = numpy.arctanh(r.value), 1.959964 / 10**0.5
    assert (r.low, r.high) == pytest.approx((numpy.tanh(z - half), numpy.tanh(z + half)), abs=1e-6)
    given = Within(y, networks, other).correlation(x)
    held = dummies(networks, other)
    assert given.value == pytest.approx(stats.pearsonr(residuals(x, held), residuals(y, held)).statistic)
    assert numpy.arctanh(given.high) - numpy.arctanh(given.value) == pytest.approx(1.959964 / 9**0.5, abs=1e-5)

    full = dummies(networks, x)
    slope = Within(y, networks).slope(x)
    variance = (residuals(y, full) ** 2).sum() / (15 - 4) * numpy.linalg.inv(full.T @ full)[-1, -1]
    assert slope.value == pytest.approx(numpy.linalg.lstsq(full, y, rcond=None)[0][-1])
    assert slope.high - slope.value == pytest.approx(stats.t.ppf(0.975, 11) * variance**0.5)


def test_pooling_within_networks_sees_through_simpsons_paradox():
    networks = numpy.repeat(["a", "b"], 5)
    x = numpy.tile(numpy.arange(5.0), 2) + 10 * (networks == "b")
    y = -0.1 * x + 5 * (networks == "b")
    assert numpy.corrcoef(x, y)[0, 1] > 0.9
    assert Within(y, networks).correlation(x).value == pytest.approx(-1)


def test_the_error_left_out_is_that_of_fits_without_the_point(drawn):
    x, _, y, networks = drawn

    def error(design):
        missed = []
        for out in range(15):
            kept = numpy.arange(15) != out
            missed.append(y[out] - design[out] @ numpy.linalg.lstsq(design[kept], y[kept], rcond=None)[0])
        return numpy.sqrt(numpy.mean(numpy.square(missed)))

    within = Within(y, networks)
    assert within.error_left_out(x) == pytest.approx(error(dummies(networks, x)))
    assert within.error_left_out() == pytest.approx(error(dummies(networks)))


def test_what_cannot_be_compared_says_why():
    assert Within([1, 2], ["a", "a"]).correlation([1, 2]) == Estimate(reason="2 points in 1 networks are too few")
    assert "does not vary" in Within([1, 2, 3.0], ["a"] * 3).correlation([0.1, 0.1, 0.1]).reason
    assert Within([2, 2, 2.0], ["a"] * 3).correlation([1, 2, 3]).reason == "PK does not vary within a network"
    assert Within([2, 2, 2.0], ["a"] * 3).slope([1, 2, 3]).value == 0
    three = Within([1, 3, 2.0], ["a"] * 3).correlation([1, 2, 3])
    assert three.value == pytest.approx(0.5) and three.low is None


def test_a_measure_and_its_line_do_not_differ(drawn):
    x, _, y, networks = drawn
    assert Within(y, networks).difference(3 * x + 1, x) == Estimate(0.0, 0.0, 0.0)
    assert decide(Estimate(0.0, 0.0, 0.0)) == "same"


@given(st.floats(-0.95, 0.95), st.floats(-0.95, 0.95), st.floats(0, 1), st.integers(4, 60))
def test_a_difference_lies_in_its_interval_which_turns_round_with_it(first, second, place, points):
    # Any correlation that the two predictors can have, given theirs with PK.
    reach = ((1 - first**2) * (1 - second**2)) ** 0.5
    between = first * second + reach * (2 * place - 1)
    low, high = difference_interval(first, second, between, points)
    assert low <= first - second <= high
    assert difference_interval(second, first, between, points) == pytest.approx((-high, -low), abs=1e-9)


def test_the_interval_of_a_difference_is_the_bootstraps_where_points_abound():
    rng = numpy.random.default_rng(1)
    covariance = [[1, 0.7, 0.5], [0.7, 1, 0.6], [0.5, 0.6, 1]]
    sample = rng.multivariate_normal([0, 0, 0], covariance, size=2000)

    def difference(rows):
        r = numpy.corrcoef(sample[rows].T)
        return r[0, 1] - r[0, 2]

    drawn = [difference(rng.integers(0, 2000, 2000)) for _ in range(2000)]
    r = numpy.corrcoef(sample.T)
    ours = difference_interval(r[0, 1], r[0, 2], r[1, 2], 2000)
    assert ours == pytest.approx(numpy.quantile(drawn, [0.025, 0.975]), abs=0.004)


@pytest.mark.parametrize("cells", [2, 4])
@pytest.mark.parametrize("true", [(0.9, 0.6, 0.7), (0.5, 0.3, 0.8)])
def test_intervals_cover_what_they_claim_at_few_cells_of_three_networks(cells, true):
    rng = numpy.random.default_rng(cells)
    first, second, between = true
    root = numpy.linalg.cholesky([[1, first, second], [first, 1, between], [second, between, 1]])
    networks = numpy.repeat(["a", "b", "c"], cells)
    rounds, single, paired = 600, 0, 0
    for _ in range(rounds):
        y, x, other = root @ rng.normal(size=(3, 3 * cells)) + 3 * rng.normal(size=(3, 3)).repeat(cells, axis=1)
        within = Within(y, networks)
        r, difference = within.correlation(x), within.difference(x, other)
        single += r.low <= first <= r.high
        paired += difference.low <= first - second <= difference.high
    assert 0.93 <= single / rounds <= 0.975
    assert paired / rounds >= 0.93


@pytest.mark.parametrize("points", [4, 6, 12])
def test_verdicts_seldom_err(points):
    """Two predictors that follow PK alike: of 38 comparisons at 5 % together, each may err in one of 760 cases."""
    rng = numpy.random.default_rng(points)
    root = numpy.linalg.cholesky([[1, 0.6, 0.6], [0.6, 1, 0.5], [0.6, 0.5, 1]])
    rounds = 2000
    wrong = sum(
        Within(y, ["a"] * points).verdict(x, other, 38) != "undecided"
        for y, x, other in (root @ rng.normal(size=(3, points)) for _ in range(rounds))
    )
    assert wrong <= 9  # three in a thousand expect 6; under six points none
    assert wrong == 0 or points >= 6


def test_a_verdict_is_reached_where_the_difference_is_plain(drawn):
    x, _, y, networks = drawn
    close = y + 1e-3 * numpy.sin(numpy.arange(15))
    assert Within(y, networks).verdict(close, x, 38) == "better"
    assert Within(y, networks).verdict(x, close, 38) == "worse"
    assert Within(y, networks).verdict(2 * x, x, 38) == "same"
    assert Within(y[:4], networks[:4]).verdict(close[:4], x[:4], 38) == "undecided"


def test_fisher_has_no_interval_under_four_points():
    assert fisher_interval(0.5, 3) == difference_interval(0.5, 0.1, 0.2, 3) == (None, None)


def test_only_an_interval_without_zero_decides():
    assert decide(Estimate(0.2, 0.1, 0.3)) == "better"
    assert decide(Estimate(-0.2, -0.3, -0.1)) == "worse"
    assert decide(Estimate(0.2, -0.1, 0.3)) == decide(Estimate(0.2)) == decide(Estimate()) == "undecided"
