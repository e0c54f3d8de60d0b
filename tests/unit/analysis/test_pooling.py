import numpy
import pytest
from cells_for_tests import LAMBDAS, record, survives_its_file
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from channel_sparsity.analysis import tables
from channel_sparsity.analysis.pooling import POOLED, pool, pooled


def drawn(seed, sizes):
    rng = numpy.random.default_rng(seed)
    networks = numpy.repeat([f"network {place}" for place in range(len(sizes))], sizes)
    x = rng.normal(size=len(networks)) + numpy.repeat(rng.normal(0, 3, len(sizes)), sizes)
    return x, 0.3 * x + rng.normal(size=len(networks)), networks


def fit(x, y, networks, slopes):
    """Least squares with an intercept a network and one slope, or as many; residual sum and degrees of freedom."""
    dummies = (networks[:, None] == numpy.unique(networks)).astype(float)
    design = numpy.column_stack([dummies, dummies * x[:, None] if slopes else x])
    coefficients, *_ = numpy.linalg.lstsq(design, y)
    residual = ((y - design @ coefficients) ** 2).sum()
    df = len(x) - design.shape[1]
    error = numpy.sqrt(numpy.diag(numpy.linalg.inv(design.T @ design)) * residual / df)
    return coefficients[-1], error[-1], residual, df


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.lists(st.integers(2, 7), min_size=2, max_size=4).filter(lambda s: max(s) > 2))
def test_one_slope_with_an_intercept_for_each_network(seed, sizes):
    x, y, networks = drawn(seed, sizes)
    slope, error, residual, df = fit(x, y, networks, slopes=False)
    result = pool(x, y, networks)
    assert result.m == pytest.approx(slope)
    assert (result.m_low, result.m_high) == pytest.approx(stats.t.interval(0.95, df, slope, error))
    # r is the partial correlation: t^2 / (t^2 + df).
    t = slope / error
    assert result.r == pytest.approx(t / numpy.sqrt(t**2 + df))
    half = stats.norm.ppf(0.975) / numpy.sqrt(len(x) - (len(sizes) - 1) - 3)
    z, low, high = numpy.arctanh([result.r, result.r_low, result.r_high])
    assert (low, high) == pytest.approx((z - half, z + half))
    *_, own, own_df = fit(x, y, networks, slopes=True)
    f = (residual - own) / (len(sizes) - 1) / (own / own_df)
    assert result.p_same_slope == pytest.approx(stats.f.sf(f, len(sizes) - 1, own_df))
    assert (result.n, result.n_networks) == (len(x), len(sizes))


@pytest.mark.parametrize(
    ("x", "y", "networks", "reason"),
    [
        ([], [], "", "needs at least 3 points, has 0"),
        ([1, 2, 3], [1, 2, 3], "abc", "needs at least 3 points, has 0"),
        ([1, 2, 3, 4], [1, 2, None, 4], "aaab", "needs at least 3 points, has 2"),
        ([1, 2, 3], [1, 2, 3], "aab", "needs at least 3 points, has 2"),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, None], "aabbb", None),
        ([1, 2, 3, 4, 9], [1, 2, 3, 4, 1], "aabbc", None),
        ([1, 2, 3, 4], [1, 2, 3, 4], "aabb", None),
        ([0.1 + 0.2, 0.3, 5, 5], [1, 2, 3, 4], "aabb", "WS does not vary within networks"),
        ([1, 2, 3, 4], [0.1 + 0.2, 0.3, 5, 5], "aabb", "PK does not vary within networks"),
    ],
)
def test_too_little_to_say_has_a_reason(x, y, networks, reason):
    result = pool(x, y, list(networks))
    assert result.reason == (reason or "no interval of r at so few points")
    assert result.r == (None if reason else pytest.approx(1))
    assert result.p_same_slope is None


def cells_where(pk_of):
    """Two VGGs and a MobileNet that is sparser; `pk_of(network, place)`."""
    records = [
        record(network, lam=lam, ws=start + place, pk=pk_of(network, place))
        for network, start in (("vgg11", 0), ("vgg13", 4), ("mobilenet1.00", 8))
        for place, lam in enumerate(LAMBDAS[:4])
    ]
    return tables.cells(records, 0.03)


def test_simpsons_paradox():
    # Within every network PK rises by .02 for each unit of WS; the sparser networks prune worse.
    start = {"vgg11": 0.8, "vgg13": 0.6, "mobilenet1.00": 0.4}
    wiggle = (0.001, -0.001, -0.001, 0.001)
    table = pooled(cells_where(lambda network, place: start[network] + 0.02 * place + wiggle[place]))
    assert list(table["networks"]) == ["vgg", "all"], "a family of one network has its row in correlation.csv"
    for _, row in table.iterrows():
        assert row["m_naive"] < -0.02 and row["r_naive"] < -0.7
        assert row["m"] == pytest.approx(0.02) and row["m_low"] > 0.015
        assert row["r_low"] > 0.95
        assert row["p_same_slope"] > 0.9


def test_networks_that_differ_in_slope_say_so():
    wiggle = (0.01, -0.01, -0.01, 0.01)
    slopes = {"vgg11": 0.2, "vgg13": 0.0, "mobilenet1.00": -0.2}
    row = pooled(cells_where(lambda network, place: 0.5 + slopes[network] * place + wiggle[place])).iloc[-1]
    assert row["m_low"] < 0 < row["m_high"]
    assert row["p_same_slope"] < 0.001


def test_the_table_survives_the_way_through_its_file(tmp_path):
    for table in (pooled(cells_where(lambda network, place: 0.5 + 0.01 * place**2)), pooled(tables.cells([], 0.03))):
        assert survives_its_file(table, POOLED, tmp_path)
