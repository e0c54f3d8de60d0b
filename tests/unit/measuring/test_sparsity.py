import itertools
import json

import numpy
import pandas
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from channel_sparsity.files import StudyError
from channel_sparsity.measuring.sparsity import NEAR_ZERO, contributions, measure, weight_skewness

gammas = arrays(float, st.integers(3, 60), elements=st.floats(-2, 2, width=32))


def table(values, layers=("features.1",)):
    """gammas.csv: the values shared out over the layers."""
    parts = numpy.array_split(numpy.asarray(values, dtype=float), len(layers))
    frames = [
        pandas.DataFrame({"layer": layer, "channel": range(len(part)), "gamma": part})
        for layer, part in zip(layers, parts, strict=True)
    ]
    return pandas.concat(frames, ignore_index=True)


@given(gammas)
def test_ws_is_scipys_biased_skewness_but_for_one_degree_of_freedom(values):
    assume(values.std() > 1e-3)
    exact = len(values) / (len(values) - 1) * stats.skew(values, bias=True)
    assert weight_skewness(values) == pytest.approx(exact, rel=1e-9, abs=1e-9)


@given(gammas, st.floats(0.01, 100), st.floats(-1, 1))
def test_ws_ignores_scale_and_shift_and_flips_with_the_sign(values, scale, shift):
    assume(values.std() > 1e-2)
    ws = weight_skewness(values)
    assert weight_skewness(scale * values + shift) == pytest.approx(ws, rel=1e-6, abs=1e-6)
    assert weight_skewness(-values) == pytest.approx(-ws, rel=1e-9, abs=1e-9)


def test_ws_by_hand():
    # Mean 1, sigma sqrt(3): (3 * (-1)^3 + 3^3) / (3 * sqrt(3)^3) = 24 / (3 * 5.196).
    assert weight_skewness(numpy.array([0, 0, 0, 4])) == pytest.approx(1.5396007178390)


@given(gammas)
def test_contributions_add_up_and_the_largest_is_found(values):
    assume(values.std() > 1e-3)
    result = measure(table(values, ["a", "b"]))
    terms = contributions(values)
    assert terms.sum() == pytest.approx(result["ws"])
    assert abs(result["largest_contribution"]) == numpy.abs(terms).max()


def test_an_outlier_is_named():
    values = numpy.full(100, 0.5) + numpy.linspace(-0.01, 0.01, 100)
    values[60] = -5
    result = measure(table(values, ["features.1", "features.4"]))
    assert (result["largest_contribution_layer"], result["largest_contribution_channel"]) == (
        "features.4",
        10,
    )
    assert result["largest_contribution"] / result["ws"] > 0.99
    assert result["ws"] < -9 < 9 < result["ws_absolute"]


def test_measures_stand_beside_ws():
    result = measure(table([0.0, 0.005, -0.005, 0.5, 1.0, 0.5], ["stem", "head"]))
    assert NEAR_ZERO == result["near_zero"] == 0.01
    assert (result["status"], result["reason"], result["count"]) == ("measured", "", 6)
    assert result["share_near_zero"] == 0.5
    assert (result["minimum"], result["maximum"]) == (-0.005, 1.0)
    assert result["mean"] == pytest.approx(1 / 3)
    assert result["standard_deviation"] == pytest.approx(numpy.std([0, 0.005, -0.005, 0.5, 1, 0.5]))
    assert [layer["layer"] for layer in result["layers"]] == ["stem", "head"]
    assert [layer["share_near_zero"] for layer in result["layers"]] == [1, 0]
    assert result["layers"][1]["mean"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "fewer than two gammas"),
        ([0.5], "fewer than two gammas"),
        ([0.0] * 10, "all gammas are 0"),
        ([0.1] * 1000, "all gammas are 0.1"),  # 0.1 is not exact: the mean, and so sigma, is off by rounding
        ([0.5, 0.5 + 2e-8, 0.5], "all gammas are 0.5"),
        ([0.5, numpy.nan, numpy.inf], "2 gammas are not finite, the first in features.1, channel 1"),
    ],
)
def test_undefined_ws_has_a_reason(values, reason):
    result = measure(table(values))
    assert (result["status"], result["reason"]) == ("undefined", reason)
    assert result["ws"] is result["ws_absolute"] is result["largest_contribution"] is None
    json.dumps(result, allow_nan=False)


def test_every_result_has_the_same_keys_and_is_json():
    results = [measure(table(values)) for values in ([], [1, 1], [1, 2, 4], [numpy.nan, 1])]
    assert len({tuple(result) for result in results}) == 1
    json.dumps(results, allow_nan=False)


def test_a_missing_column_is_named():
    with pytest.raises(StudyError, match=r"gammas\.csv has no column gamma"):
        measure(table([1, 2]).drop(columns="gamma"))


# Measures beside WS


@given(arrays(float, st.integers(3, 9), elements=st.integers(-9, 9)))
def test_l_skewness_is_what_all_pairs_and_triples_say(values):
    assume(numpy.ptp(values) > 0)
    second = numpy.mean([(high - low) / 2 for low, high in itertools.combinations(sorted(values), 2)])
    third = numpy.mean([(high - 2 * mid + low) / 3 for low, mid, high in itertools.combinations(sorted(values), 3)])
    assert measure(table(values))["l_skewness"] == pytest.approx(third / second, abs=1e-9)


def test_a_dozen_outliers_decide_ws_and_not_l_skewness():
    values = numpy.random.default_rng(0).normal(0.5, 0.1, 3000)
    with_outliers = numpy.r_[values, numpy.full(12, 4.0)]
    without, outliers = measure(table(values)), measure(table(with_outliers))
    assert abs(without["ws"]) < 0.2 and outliers["ws"] > 8
    assert abs(without["l_skewness"]) < 0.02 and outliers["l_skewness"] < 0.25


def test_depthwise_gammas_can_be_left_out():
    values = numpy.array([0.1, 0.2, 0.9, 5, -5, 7])
    result = measure(table(values, ["block1.pointwise_norm", "block2.depthwise_norm"]))
    assert result["ws_without_depthwise"] == pytest.approx(weight_skewness(values[:3]))
    assert measure(table(values, ["a", "b"]))["ws_without_depthwise"] == result["ws"]


WS = {"ws", "ws_absolute", "ws_without_depthwise"}


@pytest.mark.parametrize(
    ("values", "undefined"),
    [
        ([], {*WS, "l_skewness"}),
        ([1, numpy.nan], {*WS, "l_skewness"}),
        ([0, 0, 0], {*WS, "l_skewness"}),
        ([2, 2, 2], {*WS, "l_skewness"}),
        ([1, 2], {"l_skewness"}),
        ([1, -1, -1], {"ws_absolute"}),
        ([1, 2, 4], set()),
    ],
)
def test_what_is_undefined_has_a_reason_and_what_has_none_a_value(values, undefined):
    result = measure(table(values))
    assert set(result["undefined"]) == undefined
    assert all(result["undefined"].values())
    for name in (*WS, "l_skewness"):
        assert (result[name] is None) == (name in undefined), name
