"""What a study is said to take, against sums by hand."""

import json
import re
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from channel_sparsity.configuration import recipe_of
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.files import StudyError
from channel_sparsity.networks import build
from channel_sparsity.networks.cost import cost
from channel_sparsity.planning.costs import Clips, Speed, curve_work, epochs_of, rates_of, seconds_of, training_work
from channel_sparsity.planning.decoding import decoding_s
from channel_sparsity.planning.estimate import (
    Pace,
    Row,
    average,
    clips_of,
    data_bytes,
    duration,
    lines,
    passing_bytes,
    rows_of,
    size_of,
    summary,
    wall_hours,
)
from channel_sparsity.planning.speed import clips_at_once, measure, start_s
from channel_sparsity.pruning.curve import Schedule
from channel_sparsity.training.replay import WARM_UP

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
TAU = CONFIG["datasets"]["tau2020"]
CLIPS = Clips(100, 50)
START_S = 7.0


def speed_of(network="vgg11"):
    """A clip costs a second of training and 0.2 of validation, and a tenth of that where no MACs are left."""
    return Speed(network, 0.5, (1.0, 0.1), (0.2, 0.02), (0.0, 0.5, 1.0), (1000, 250, 0), (80, 20, 0), 8, 64, 0.125)


def curve(**changes):
    recipe = {"method": "slimming", "step": 0.5, "step_of": "original", "highest_rate": 0.5}
    return recipe | {"finetuning": finetuning()} | changes


def finetuning(**changes):
    return {"when": "each", "epochs": 3, "recalibrate": False} | changes


def test_a_training_is_its_epochs_and_its_validations():
    seconds, macs, host_s = training_work(speed_of(), {"epochs": 4}, CLIPS, START_S)
    assert host_s == START_S + 0.5
    assert seconds == pytest.approx(START_S + 0.5 + 4 * 100 * 1.0 + 5 * 50 * 0.2)
    assert macs == 1000 * (3 * 4 * 100 + 5 * 50)


def test_a_curve_is_its_control_and_its_steps():
    seconds, macs, host_s = curve_work(speed_of(), curve(), CLIPS, START_S)
    assert host_s == START_S + 2 * 0.5
    whole = 0.5 + 3 * 100 * 1.0 + 2 * 50 * 0.2  # the trained network, and the control
    cut = 0.5 + 3 * 100 * 0.325 + 2 * 50 * 0.065  # a quarter of the MACs are left
    assert seconds == pytest.approx(START_S + whole + cut)
    assert macs == (1000 + 250) * (3 * 300 + 100)
    seconds, macs, host_s = curve_work(speed_of(), curve(finetuning=finetuning(when="none")), CLIPS, START_S)
    assert host_s == START_S + 2 * 0.125
    assert seconds == pytest.approx(START_S + 2 * 0.125 + 50 * (0.2 + 0.065)), "nothing is learnt in a new shape"
    assert macs == (1000 + 250) * 50
    anew, more, _ = curve_work(speed_of(), curve(finetuning=finetuning(recalibrate=True)), CLIPS, START_S)
    assert anew == pytest.approx(START_S + whole + cut + 100 * (0.2 + 0.065))
    assert more == (1000 + 250) * (3 * 300 + 100 + 100)


def test_statistics_taken_anew_alone_cost_predictions_of_the_training_clips():
    """And two validations a step, since there is something before them and something after."""
    recipe = curve(finetuning=finetuning(when="none", recalibrate=True))
    seconds, macs, _ = curve_work(speed_of(), recipe, CLIPS, START_S)
    assert seconds == pytest.approx(START_S + 2 * 0.125 + (2 * 50 + 100) * (0.2 + 0.065))
    assert macs == (1000 + 250) * (2 * 50 + 100)


@pytest.mark.parametrize("when", ["each", "none"])
def test_scores_that_are_gradients_cost_an_epoch_more_a_step(when):
    tuning = finetuning(when=when)
    taylor, slimming = (
        curve_work(speed_of(), curve(method=method, finetuning=tuning), CLIPS, START_S)
        for method in ("taylor", "slimming")
    )
    in_new_shapes = 2 * (0.5 - 0.125) if when == "none" else 0
    assert taylor.seconds - slimming.seconds == pytest.approx(100 * (1.0 + 0.325) + in_new_shapes)
    assert taylor.macs - slimming.macs == (1000 + 250) * 3 * 100


@given(
    step=st.sampled_from([0.05, 0.1, 0.2, 0.3, 1 / 3]),
    highest=st.sampled_from([0.3, 0.6, 0.8, 0.95]),
    of=st.sampled_from(["original", "remaining"]),
)
def test_the_steps_are_those_of_the_curve(step, highest, of):
    rates = rates_of({"step": step, "step_of": of, "highest_rate": highest})
    counts = Schedule(step, of, highest, False).counts(10_000)
    assert [round(10_000 * rate) for rate in rates] == counts


def test_without_a_measurement_every_step_counts_the_same():
    assert epochs_of({"epochs": 20}) == 20
    recipes = {name: recipe_of(CONFIG, name) for name in ("slimming", "slimming-statistics", "slimming-remaining")}
    assert {name: epochs_of(each) for name, each in recipes.items()} == pytest.approx(
        {"slimming": 20 * 5.4, "slimming-statistics": 20 * 0.7, "slimming-remaining": 59 * 5.4}
    )


def test_the_time_of_a_clip_goes_with_its_operations():
    speed = speed_of()
    assert speed.train_at(0) == 1.0
    assert speed.train_at(1.0) == 0.1
    assert speed.predict_at(0.25) == pytest.approx(0.02 + 0.18 * 0.625)


def test_of_a_network_that_cannot_get_narrower_every_step_costs_the_same():
    speed = Speed(**asdict(speed_of()) | {"macs": (1000, 1000, 1000)})
    assert speed.train_at(0.5) == 1.0


def test_what_the_paper_leaves_on_the_disk():
    logmel = logmel_of(TAU["features"])
    kept = data_bytes(TAU, 14400)
    assert kept["logmel.h5"] == 14400 * logmel.n_mels * logmel.frames * 4 == 923_904_000
    assert set(kept) == {"logmel.h5", "tables"}
    sizes = sorted(archive["bytes"] for archive in TAU["record"]["audio"])
    assert passing_bytes(TAU, 14400) == sum(sizes[-3:]) == pytest.approx(5.62e9, rel=1e-3)
    keeping = TAU | {"record": TAU["record"] | {"keep_archives": True, "keep_audio": True}}
    assert data_bytes(keeping, 14400)["archives"] == sum(sizes)
    assert data_bytes(keeping, 14400)["audio"] == 14400 * 441000 * 3
    here = TAU | {"record": TAU["record"] | {"archives": "/somewhere", "keep_archives": True}}
    assert set(data_bytes(here, 14400)) == {"logmel.h5", "tables"}
    folder = {"source": "folder", "path": "x", "features": TAU["features"]}
    assert passing_bytes(folder, 10) == 0


def test_jobs_that_share_a_gpu_hide_each_others_start_and_compute_no_faster():
    """Twice 3 hours of trainings, of which the GPU computes for 4."""
    rows = [Row("", "data", 1, 8.0, 8.0, 0, 0), *(Row("vgg11", "training", 3, 1.0, 3.0, 0, 0, 1.0) for _ in range(2))]
    taken = {sharing: wall_hours(rows, 8, 2, sharing) - 8 / 8 for sharing in (0, 1, 2, 9)}
    assert taken == pytest.approx({0: 6 / 8, 1: 6, 2: 4, 9: 4})
    idle = [row._replace(host_hours=2.9) for row in rows]
    taken = {sharing: wall_hours(idle, 8, 2, sharing) - 8 / 8 for sharing in (2, 4, 9)}
    assert taken == pytest.approx({2: 3, 4: 6 / 4, 9: 6 / 4}), "8 cores hold four jobs"


def test_a_gpu_is_named_and_how_many_jobs_share_it():
    for device, words in {"cpu": "measured on the cores of this machine; a GPU is", "A GPU": "machine: A GPU"}.items():
        pace = Pace({name: speed_of(name) for name in CONFIG["networks"]}, START_S, 0.01, device)
        rows = rows_of(CONFIG, average([pace, pace]), CLIPS)
        estimate = summary(CONFIG, pace, CLIPS, rows, 8)
        said = "\n".join(lines(estimate, rows))
        assert estimate["device"] == device and words in said
        assert ("of one GPU\n" in said) == ("8 cores and the GPU, 1 job at a time (" in said) == (device != "cpu")


def test_esc10_at_full_widths_takes_less_than_ten_minutes_by_what_was_measured_on_a_gpu():
    """With the slowest of the published figures: 17 s to start a job, 1.3 s to validate a new shape, and steps on clips
    that are twice as long; a prediction counts as half a step of training, and a narrow network as a whole one."""
    text = (ROOT / "docs/how-to/gpu.md").read_text(encoding="utf-8")
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if re.match(r"\| (VGG|ResNet|MobileNet)", row)]
    steps_ms = [float(step) for *_, half in rows for step in half.split(" / ")]
    overlay = (ROOT / "config/esc10-full.yaml").read_text(encoding="utf-8")
    study = deepcopy(CONFIG)
    update_config(study, yaml.safe_load(overlay))
    speeds = {
        name: Speed(name, 1.2, (ms / 32e3,) * 2, (ms / 64e3,) * 2, (0.0, 1.0), (1, 0), (1, 0), 8, 64, 1.3)
        for name, ms in zip(study["networks"], steps_ms, strict=True)
    }
    pace, clips = Pace(speeds, 17.0, 0.01, "NVIDIA H200"), clips_of(400, study["split"])
    rows = rows_of(study, pace, clips)
    jobs = [sum(row.jobs for row in rows if row.stage.startswith(stage)) for stage in ("training", "curves")]
    assert jobs == [48, 96]
    asked = int(re.search(r"--cores 16 --resources gpu=(\d+)", overlay)[1])
    minutes = [60 * summary(study, pace, clips, rows, 16, sharing)["wall_hours"] for sharing in (asked, 1)]
    assert minutes[0] < 10
    sharing_gains = re.search(r"compute for (\d+) minutes.* up to (\d+) minutes", " ".join(text.split()))
    computing = 60 * sum(row.hours - row.host_hours for row in rows if row.network)
    assert [round(computing), round(minutes[1])] == list(map(int, sharing_gains.groups()))


def test_on_a_gpu_the_first_epoch_that_is_timed_ends_with_the_capture_of_a_full_batch():
    """So that the others are replays alone."""
    assert clips_at_once(torch.device("cuda"), 32, 401) == 32 * (WARM_UP + 1)
    assert [clips_at_once(torch.device("cpu"), 32, frames) for frames in (26, 401, 4000)] == [32, 8, 4]


@given(cores=st.integers(1, 200), hours=st.lists(st.floats(0.1, 50), min_size=2, max_size=6))
def test_no_number_of_cores_beats_the_longest_chain(cores, hours):
    rows = [Row("", "data", 1, 1.0, 1.0, 0, 0), Row("vgg11", "training", 2, hours[0], 2 * hours[0], 0, 0)]
    rows += [Row("vgg11", f"curves, {n}", 2, each, 2 * each, 0, 0) for n, each in enumerate(hours[1:])]
    total = sum(row.hours for row in rows)
    taken = wall_hours(rows, cores, 1)
    assert taken >= total / cores - 1e-9
    assert taken >= hours[0] + max(hours[1:])
    assert taken <= total + 1e-9
    assert wall_hours(rows, 1, 1) == pytest.approx(total)


def test_the_whole_of_the_paper_adds_up():
    pace = Pace({name: speed_of(name) for name in CONFIG["networks"]}, START_S, 0.01)
    clips = clips_of(14400, CONFIG["split"])
    assert clips == (10080, 4320)
    rows = rows_of(CONFIG, pace, clips)
    assert sum(row.jobs for row in rows if row.stage == "training") == 72
    assert sum(row.jobs for row in rows if row.stage.startswith("curves")) == 936
    one = training_work(speed_of(), CONFIG["training"], clips, START_S).seconds + START_S / 2
    assert sum(row.hours for row in rows if row.stage == "training") == pytest.approx(72 * one / 3600)
    assert rows[0].hours == pytest.approx(144 / 3600)
    estimate = json.loads(json.dumps(summary(CONFIG, pace, clips, rows, 8)))
    assert estimate["core_hours"] == pytest.approx(sum(row.hours for row in rows))
    assert estimate["core_hours"] / 8 <= (1 + 1e-12) * estimate["wall_hours"] <= estimate["core_hours"]
    assert estimate["download_bytes"] == sum(each["bytes"] for each in TAU["record"]["audio"]) + 214159
    said = "\n".join(lines(estimate, rows))
    assert "training: 72 jobs" in said and "to download: 27.4 GB" in said and "on 8 cores" in said

    recipe = recipe_of(CONFIG, "slimming")
    wanted = curve_work(speed_of(), recipe, clips, START_S).seconds
    assert seconds_of(estimate, "vgg11", clips, recipe) == pytest.approx(wanted)
    wanted = training_work(speed_of(), CONFIG["training"], clips, START_S).seconds
    assert seconds_of(estimate, "vgg11", clips, CONFIG["training"]) == pytest.approx(wanted)


def test_kept_steps_are_counted():
    pace = Pace({"vgg11": speed_of()}, START_S, 0.01)
    study = CONFIG | {"networks": ["vgg11"], "curves": [{"recipe": "slimming"}]}
    keeping = study | {"pruning": CONFIG["pruning"] | {"keep_steps": True}}
    without, kept = ([row for row in rows_of(each, pace, CLIPS) if row.network][-1] for each in (study, keeping))
    rates = [0.05 * step for step in range(20)]
    assert (kept.bytes - without.bytes) / 6 == pytest.approx(4 * sum(map(speed_of().parameters_at, rates)), abs=1)


def test_several_processes_count_as_their_mean():
    slow = Speed(**asdict(speed_of()) | {"train_s": (3.0, 0.3), "shape_s": 1.5})
    mean = average([Pace({"vgg11": speed_of()}, 1.0, 0.1), Pace({"vgg11": slow}, 3.0, 0.3)])
    assert mean.start_s == 2.0 and mean.decoding_s == pytest.approx(0.2)
    assert mean.speeds["vgg11"].train_s == pytest.approx((2.0, 0.2))
    assert (mean.speeds["vgg11"].shape_s, mean.speeds["vgg11"].predict_shape_s) == (1.0, 0.125)


def test_a_network_is_timed():
    training = CONFIG["training"] | {"batch_size": 4}
    begun = start_s(training)
    shape = {"width_scale": 0.25, "stem_stride": 2}
    speed = measure("mobilenet0.25", shape, 3, 40, 26, training)
    assert begun > 0 and min(*speed.train_s, *speed.predict_s) > 0 and speed.shape_s >= speed.predict_shape_s >= 0
    whole = cost(build("mobilenet0.25", 3, 0.25, 2), 40, 26)
    assert whole.macs < cost(build("mobilenet0.25", 3, 0.25), 40, 26).macs
    assert (speed.macs[0], speed.parameters[0]) == (whole.macs, whole.parameters)
    assert list(speed.macs) == sorted(speed.macs, reverse=True) and speed.macs[-1] < whole.macs


def test_how_much_there_is_is_known_before_it_is_read(tmp_path):
    plan = {"scenes": ["bus", "park"], "cities": 3, "locations": 2, "segments": 5}
    assert source_of({"source": "synthetic", "synthetic": plan}, "x").extent() == (60, 2)
    assert source_of(TAU, "x").extent() == (14400, 10)
    rows = ["filename\tscene_label\tidentifier\tsource_label"]
    rows += [f"audio/{n}.wav\t{'bus' if n % 2 else 'park'}\toslo-1\t{'a' if n < 5 else 'b'}" for n in range(7)]
    (tmp_path / "meta.csv").write_text("\n".join(rows))
    assert source_of({"source": "folder", "path": str(tmp_path), "devices": ["a"]}, "x").extent() == (5, 2)
    with pytest.raises(StudyError, match=r"`datasets\.mine\.expected\.clips` is missing"):
        source_of({"source": "record", "expected": {}}, "mine").extent()


@pytest.mark.parametrize("source", ["synthetic", "record"])
def test_decoding_is_timed(source):
    features = TAU["features"] | {"duration_s": 0.5}
    assert 0 < decoding_s(source_of({"source": source, "features": features})) < 1


@pytest.mark.parametrize(
    ("hours", "words"), [(0.01, "36 s"), (0.5, "30 min"), (30, "30 h"), (100, "4 days"), (1.99, "119 min")]
)
def test_hours_in_words(hours, words):
    assert duration(hours) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (9.239e8, "924 MB")])
def test_bytes_in_words(count, words):
    assert size_of(count) == words
