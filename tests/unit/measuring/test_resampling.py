import numpy
import pandas
import pytest
from scipy import stats

from channel_sparsity.measuring import resampling
from channel_sparsity.measuring.knee import Rule, measure
from channel_sparsity.measuring.resampling import UNKNOWN, resample

RATE = numpy.arange(20) * 0.05
RULE = Rule()
CLASSES = 10


def accuracies(knee=0.7, width=0.08):
    """A network's true accuracy at each step: from 90 % to chance."""
    return 0.9 - 0.8 / (1 + numpy.exp(-(RATE - knee) / width)) + 0.8 / (1 + numpy.exp(knee / width))


def clips(rng, accuracy, locations, each):
    """Hits [steps, clips] whose steps and clips of a location hang together, and the locations [clips]."""
    place, clip, step = (rng.normal(size=shape) for shape in ((locations, 1), (locations, each), (20, locations, each)))
    latent = numpy.sqrt(0.2) * place + numpy.sqrt(0.4) * clip + numpy.sqrt(0.4) * step
    hits = latent < stats.norm.ppf(accuracy)[:, None, None]
    names = numpy.repeat([f"place {number}" for number in range(locations)], each)
    return hits.reshape(20, -1), names.tolist()


def curve_of(accuracy):
    return pandas.DataFrame(
        {
            **dict.fromkeys(("channel_rate", "parameter_rate", "masked_rate"), RATE),
            "accuracy": accuracy,
            "accuracy_loss": accuracy[0] - accuracy,
        }
    )


def pk(accuracy):
    return measure(curve_of(accuracy), CLASSES, 10**6, RULE)["pk_channels"]


def interval(hits, locations):
    return resample(hits, locations, curve_of(hits.mean(axis=1)), CLASSES, RULE)


def test_the_interval_covers_what_it_claims(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 200)
    monkeypatch.setattr(resampling, "HALVINGS", 1)
    rng = numpy.random.default_rng(0)
    covered = 0
    for _ in range(60):
        accuracy = accuracies() + numpy.r_[0, rng.normal(0, 0.01, 19)]
        found = interval(*clips(rng, accuracy, 60, 7))
        covered += found["low"] <= pk(accuracy) <= found["high"]
    assert 0.87 <= covered / 60 <= 1


def test_it_is_the_bootstrap_of_locations():
    hits, names = clips(numpy.random.default_rng(1), accuracies(), 30, 4)
    found = interval(hits, names)
    blocks = hits.reshape(20, 30, 4).mean(axis=2)
    theirs = stats.bootstrap(
        (numpy.arange(30),),
        lambda chosen: pk(blocks[:, chosen].mean(axis=1)),
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=numpy.random.default_rng(0),
    ).confidence_interval
    assert (found["low"], found["high"]) == pytest.approx((theirs.low, theirs.high), abs=0.015)
    assert found["locations"] == 30


def test_clips_of_a_place_are_not_taken_for_independent():
    hits, _ = clips(numpy.random.default_rng(2), accuracies(width=0.15), 30, 1)
    copies = numpy.repeat(hits, 10, axis=1)
    grouped = interval(copies, [f"{number // 10}" for number in range(300)])
    alone = interval(copies, [f"{number}" for number in range(300)])
    assert grouped["high"] - grouped["low"] > 1.3 * (alone["high"] - alone["low"])


def test_the_loss_is_read_from_clips_that_did_not_place_the_knee(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 1)
    monkeypatch.setattr(resampling, "HALVINGS", 10)
    rng = numpy.random.default_rng(3)
    same, other = [], []
    for _ in range(40):
        # A ragged curve of few clips: the knee lands where these clips happen to be lucky.
        hits, names = clips(rng, accuracies(width=0.15), 40, 2)
        same.append(measure(curve_of(hits.mean(axis=1)), CLASSES, 80, RULE)["accuracy_loss"])
        other.append(interval(hits, names)["accuracy_loss_held_out"])
    assert numpy.mean(other) > numpy.mean(same) + 0.01


def test_without_noise_every_half_says_the_same():
    accuracy = numpy.round(accuracies(width=0.05), 2)
    hits = (numpy.arange(100) < (100 * accuracy + 0.5).astype(int)[:, None]).repeat(2, axis=1)
    # Both clips of a pair are of different places, and every place has one clip of each pair.
    names = ["one", "two"] * 100
    found = interval(hits, names)
    loss = measure(curve_of(hits.mean(axis=1)), CLASSES, 200, RULE)
    assert found["low"] == found["high"] == pytest.approx(loss["pk_channels"])
    assert found["accuracy_loss_held_out"] == pytest.approx(loss["accuracy_loss"])


def test_the_same_clips_give_the_same_numbers_and_the_axis_is_the_rules():
    hits, names = clips(numpy.random.default_rng(4), accuracies(), 20, 3)
    assert interval(hits, names) == interval(hits, names)
    curve = curve_of(hits.mean(axis=1)).assign(parameter_rate=1 - (1 - RATE) ** 2)
    on_parameters = resample(hits, names, curve, CLASSES, Rule(axis="parameters"))
    assert on_parameters["low"] > interval(hits, names)["high"]
    by_kneed = resample(hits, names, curve, CLASSES, Rule("kneed"))
    assert 0 <= by_kneed["low"] <= by_kneed["high"] < 0.951


def test_a_resample_without_a_knee_counts_as_what_it_says():
    flat = numpy.ones((20, 40), bool)
    names = [str(number) for number in range(40)]
    assert (interval(flat, names)["low"], interval(flat, names)["high"]) == pytest.approx((0.95, 0.95))
    cliff = numpy.zeros((20, 40), bool)
    cliff[0] = True
    assert interval(cliff, names)["high"] == 0


def test_clips_of_one_place_say_nothing():
    hits, _ = clips(numpy.random.default_rng(5), accuracies(), 1, 30)
    assert interval(hits, ["here"] * 30) == UNKNOWN | {"locations": 1}
