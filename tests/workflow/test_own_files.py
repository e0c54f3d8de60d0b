"""The user's own recordings: what is noticed when they become others, and what that makes run again."""

import os
import random
import shutil

import numpy
import pytest
import soundfile
from conftest import FOLDER_FEATURES

TRAINED = "results/mine/train/vgg11/lambda-0/seed-1/metrics.json"


@pytest.fixture
def mine(fresh, tmp_path):
    """A study of twelve recordings with one network trained, and what its snakemake is given."""
    folder = tmp_path / "recordings"
    (folder / "audio").mkdir(parents=True)
    lines = ["filename\tscene_label\tidentifier\tsource_label"]
    noise = numpy.random.default_rng(1)
    for number in range(12):
        soundfile.write(folder / f"audio/{number}.wav", noise.normal(0, 0.1, 4800), 8000)
        lines.append(f"audio/{number}.wav\t{('bus', 'park')[number % 2]}\tplace{number // 3}\ta")
    (folder / "meta.csv").write_text("\n".join(lines) + "\n")
    block = {"source": "folder", "path": str(folder), "devices": ["a"], "features": FOLDER_FEATURES}
    changes = {
        "study": "mine",
        "dataset": "mine",
        "networks": ["vgg11"],
        "lambdas": {"default": ["0"]},
        "curves": [{"recipe": "slimming"}],
        "training": {"epochs": 1, "batch_size": 4},
        "datasets": {"mine": block},
    }
    fresh.snakemake("dataset", TRAINED, changes=changes)
    assert fresh.planned("dataset", TRAINED, changes=changes) == {}
    return fresh, folder, changes


def overwrite(path, content):
    """Put another file in the place of one, with an older time stamp, as `mv` does."""
    stamp = path.stat().st_mtime - 1000
    path.write_bytes(content)
    os.utime(path, (stamp, stamp))


def test_a_table_and_recordings_that_were_replaced_are_noticed(mine):
    study, folder, changes = mine
    clip, table = folder / "audio/3.wav", folder / "meta.csv"
    for path, content, words in (
        (table, table.read_bytes().replace(b"park", b"tram"), "meta.csv has another content"),
        (clip, (folder / "audio/4.wav").read_bytes(), "audio/3.wav was 9,644 bytes of "),
    ):
        overwrite(path, content)
        planned = study.planned(TRAINED, changes=changes)
        assert planned.keys() >= {"list_clips", "extract_features", "split_clips", "train_network"}
        refused = study.snakemake(TRAINED, changes=changes, check=False)
        assert refused.returncode == 1
        assert words in refused.stderr and "would run 1 finished trainings and curves again" in refused.stderr
        study.snakemake("dataset", "features", changes=changes)
        assert study.planned(TRAINED, changes=changes) == {"split_clips": 1, "train_network": 1}
        study.snakemake(TRAINED, changes=changes)
        assert study.planned("dataset", TRAINED, changes=changes) == {}


def test_a_new_time_stamp_alone_makes_the_features_again_and_trains_nothing(mine):
    study, folder, changes = mine
    for path in random.Random(1).sample(sorted(folder.glob("audio/*")), 3):
        path.touch()
    assert study.planned("features", changes=changes) == {"list_clips": 1, "extract_features": 1}
    study.snakemake("dataset", "features", changes=changes)
    assert study.planned("dataset", TRAINED, changes=changes) == {}
    shutil.rmtree(folder / "audio")
    assert study.planned("dataset", TRAINED, changes=changes) == {}, "what was made stays without the recordings"
    shutil.rmtree(folder)
    assert study.planned("dataset", TRAINED, changes=changes) == {}


def test_clips_that_are_shorter_than_configured_are_said_to_be_by_a_dry_run(mine):
    study, _, changes = mine
    block = changes["datasets"]["mine"] | {"features": FOLDER_FEATURES | {"duration_s": 2.5}}
    said = study.snakemake("features", "-n", changes=changes | {"dataset": "longer", "datasets": {"longer": block}})
    assert said.stderr.splitlines()[-1].startswith(
        "The first clips of longer last 0.6 s at most, but `features.duration_s` is 2.5: silence is added to them."
    )
