import numpy
import pytest
from scipy import stats
from statsmodels.api import OLS

from channel_sparsity.statistics.regression import Bounded
from channel_sparsity.statistics.within import Within


@pytest.fixture
def drawn():
    """Predictor, a second one, PK and network of cells of three networks that lie far apart."""
    rng = numpy.random.default_rng(3)
    networks = numpy.repeat(["a", "b", "c"], [4, 6, 5])
    x = rng.normal(size=15) + 5 * (networks == "b")
    other = 0.6 * x + rng.normal(size=15)
    y = 0.05 * x + rng.normal(0, 0.05, 15) - 0.5 * (networks == "b") + 0.2 * (networks == "c")
    return x, other, y, networks


def dummies(networks):
    """A design matrix with an intercept for each network."""
    return (networks[:, None] == numpy.unique(networks)).astype(float)


def test_one_network_is_an_ordinary_correlation():
    rng = numpy.random.default_rng(0)
    x, y = rng.normal(size=(2, 7))
    ordinary, r = stats.pearsonr(x, y), Within(y, ["a"] * 7).correlation(x)
    assert (r.value, r.low, r.high) == pytest.approx((ordinary.statistic, *ordinary.confidence_interval()))


def test_several_networks_are_a_regression_with_an_intercept_for_each(drawn):
    x, _, y, networks = drawn
    r, fit = Within(y, networks).correlation(x), OLS(y, numpy.column_stack([x, dummies(networks)])).fit()
    t = fit.tvalues[0]
    assert r.value == pytest.approx(t / numpy.sqrt(t**2 + fit.df_resid)), "the partial correlation"
    # 15 cells and two intercepts more than one: 10 degrees of freedom for Fisher's z.
    assert numpy.arctanh(r.high) - numpy.arctanh(r.value) == pytest.approx(1.959964 / 10**0.5, abs=1e-5)


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


@pytest.mark.parametrize(("comparisons", "most"), [(38, 9), (4, 40)])
@pytest.mark.parametrize("points", [4, 6, 12])
def test_verdicts_seldom_err(points, comparisons, most):
    """Two predictors that follow PK alike: of 38 comparisons at 5 % together, each may err in one of 760 cases."""
    rng = numpy.random.default_rng(points)
    root = numpy.linalg.cholesky([[1, 0.6, 0.6], [0.6, 1, 0.5], [0.6, 0.5, 1]])
    rounds = 2000
    wrong = sum(
        Within(y, ["a"] * points).verdict(x, other, comparisons) != "undecided"
        for y, x, other in (root @ rng.normal(size=(3, points)) for _ in range(rounds))
    )
    assert wrong <= most  # 2000 / 760 is 3, and 2000 / 80 is 25; under six points none
    assert wrong == 0 or points >= 6


def test_a_verdict_is_reached_where_the_difference_is_plain(drawn):
    x, _, y, networks = drawn
    close = y + 1e-3 * numpy.sin(numpy.arange(15))
    assert Within(y, networks).verdict(close, x, 38) == "better"
    assert Within(y, networks).verdict(x, close, 38) == "worse"
    assert Within(y, networks).verdict(2 * x, x, 38) == "same"
    assert Within(y[:4], networks[:4]).verdict(close[:4], x[:4], 38) == "undecided"


def test_what_cannot_be_compared_says_why():
    assert Within([1, 2, 3.0], list("aab")).correlation([1, 2, 3]).reason == "needs at least 4 points, has 3"
    named = Within([2, 2, 2.0], ["a"] * 3, names=("the summary", "WS"))
    assert named.correlation([0.1, 0.1, 0.1]).reason == "the summary does not vary within networks"
    assert named.correlation([1, 2, 3]).reason == "WS does not vary within networks"


def test_a_measure_and_its_line_do_not_differ(drawn):
    x, _, y, networks = drawn
    assert Within(y, networks).difference(3 * x + 1, x) == Bounded(0.0, 0.0, 0.0)
