import numpy
import pandas
import pytest
from scipy import stats
from statsmodels.api import OLS

from channel_sparsity.statistics.regression import Estimate
from channel_sparsity.statistics.slopes import over_networks, slopes

WS = numpy.array([0.1, 0.5, 1.1, 1.8, 2.8, 3.4])


def points_of(values):
    """A row for each lambda of each network; `values`: by network, its PK at each WS."""
    frames = [pandas.DataFrame({"network": network, "ws": WS[: len(pk)], "pk": pk}) for network, pk in values.items()]
    return pandas.concat(frames, ignore_index=True)


def drawn(rng, networks=6, mean=0.0, between=0.04, noise=0.03):
    """PK of networks that differ in slope and in height."""
    own = rng.normal(mean, between, networks)
    return {
        f"network {place}": rng.uniform(0.3, 0.8) + slope * WS + rng.normal(0, noise, len(WS))
        for place, slope in enumerate(own)
    }


def one_line_for_all(values):
    """The interval of a common slope, each network with its own height: what takes points for independent."""
    own_height = numpy.kron(numpy.eye(len(values)), numpy.ones((len(WS), 1)))
    design = numpy.column_stack([numpy.tile(WS, len(values)), own_height])
    return OLS(numpy.concatenate(list(values.values())), design).fit().conf_int()[0]


def test_each_network_has_its_own_least_squares_line():
    values = drawn(numpy.random.default_rng(0), networks=3)
    found = slopes(points_of(values), "pk")
    assert list(found) == list(values)
    for network, pk in values.items():
        (slope, _), covariance = numpy.polyfit(WS, pk, 1, cov=True)
        assert found[network].value == pytest.approx(slope)
        assert found[network].error == pytest.approx(numpy.sqrt(covariance[0, 0]))
        assert found[network].df == len(WS) - 2


def test_a_network_needs_three_points_that_differ_in_ws():
    points = points_of({"three": [0.1, 0.3, 0.2], "two": [0.1, 0.3]})
    twice = pandas.DataFrame({"network": "twice", "ws": [1.0, 1.0, 2.0, 2.0], "pk": [0.1, 0.2, 0.3, 0.4]})
    assert list(slopes(pandas.concat([points, twice]), "pk")) == ["three"]
    assert slopes(points.iloc[:0], "pk") == {}


@pytest.mark.parametrize("height", [0.0, 0.5])
def test_what_does_not_change_has_a_slope_of_0_for_certain(height):
    found = slopes(points_of({"flat": [height] * 6}), "pk")
    assert found["flat"].value == found["flat"].error == 0


@pytest.mark.parametrize("networks", [3, 6])
def test_over_networks_is_students_t_of_their_slopes(networks):
    values = drawn(numpy.random.default_rng(networks), networks)
    found = over_networks(slopes(points_of(values), "pk"))
    theirs = [numpy.polyfit(WS, pk, 1)[0] for pk in values.values()]
    interval = stats.ttest_1samp(theirs, 0).confidence_interval()
    assert (found.value, found.low, found.high) == pytest.approx((numpy.mean(theirs), *interval))
    assert found.reason == ""


def test_networks_count_alike_however_sure_each_of_them_is():
    found = over_networks(
        {"sure": Estimate(1.0, 0.001, 4), "unsure": Estimate(0.0, 10.0, 4), "so": Estimate(0.5, 1, 1)}
    )
    assert found.value == 0.5
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 2) * 0.5 / 3**0.5)


def test_two_networks_have_a_mean_and_no_interval():
    found = over_networks({"one": Estimate(0.1, 0.001, 4), "other": Estimate(0.2, 0.001, 4)})
    assert (found.value, found.low, found.high) == (pytest.approx(0.15), None, None)
    assert found.reason == "an interval takes 3 networks"


def test_one_network_has_the_interval_of_its_own_line():
    values = drawn(numpy.random.default_rng(1), networks=1)
    (pk,) = values.values()
    fit, found = stats.linregress(WS, pk), over_networks(slopes(points_of(values), "pk"))
    assert (found.value, found.low, found.high) == pytest.approx(
        (fit.slope, *stats.t.interval(0.95, 4, fit.slope, fit.stderr))
    )


def test_no_network_has_a_reason():
    found = over_networks({})
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.reason == "no network has three lambdas that count and differ in WS"


def test_the_interval_covers_the_mean_of_the_kind_of_network_where_networks_differ():
    rng = numpy.random.default_rng(2)
    runs, covered, pooled = 400, 0, 0
    for _ in range(runs):
        values = drawn(rng, mean=0.03)
        found = over_networks(slopes(points_of(values), "pk"))
        covered += found.low <= 0.03 <= found.high
        low, high = one_line_for_all(values)
        pooled += low <= 0.03 <= high
    assert covered / runs >= 0.93
    assert pooled / runs < 0.8, "one slope for all is too sure of itself"


def test_where_there_is_nothing_it_is_seldom_above_0():
    rng = numpy.random.default_rng(3)
    runs = 400
    above = sum(over_networks(slopes(points_of(drawn(rng)), "pk")).low > 0 for _ in range(runs))
    assert above / runs <= 0.04
