import pytest

from channel_sparsity.report.cost import cost
from channel_sparsity.words import count, duration, listed, points


def timing(folder, name, *seconds):
    path = folder / f"{name}.csv"
    path.write_text("step,seconds\n" + "".join(f"{step},{each}\n" for step, each in enumerate(seconds)))
    return path


def test_hours_are_added_up_a_stage_and_over_all(tmp_path):
    trainings = [timing(tmp_path, "a", 3600.0), timing(tmp_path, "b", 1800.0)]
    prunings = {"slimming": [timing(tmp_path, "c", 30.0, 60.0)], "ista": []}
    assert cost(trainings, prunings) == [
        ["training", "2", "1.5 h", "45.0 min", "1.0 h"],
        ["pruning, slimming", "1", "1.5 min", "1.5 min", "1.5 min"],
        ["together", "3", "1.5 h", "30.5 min", "1.0 h"],
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59, "59.0 s"), (60, "1.0 min"), (3.6e6, "1,000 h")])
def test_durations_keep_a_readable_unit(seconds, text):
    assert duration(seconds) == text


def test_words():
    assert (count(1, "network"), count(1200, "clip")) == ("1 network", "1,200 clips")
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")
    assert points(-0.0001) == "0.0"
