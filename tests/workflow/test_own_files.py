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
    """A study of twelve recordings with one network, their folder, and what its snakemake is given."""
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
    return fresh, folder, changes


def overwrite(path, content):
    """Put another file in the place of one, with an older time stamp, as `mv` does."""
    stamp = path.stat().st_mtime - 1000
    path.write_bytes(content)
    os.utime(path, (stamp, stamp))


def test_recordings_that_become_others_are_noticed_and_those_that_are_gone_are_not_missed(mine):
    study, folder, changes = mine

    def planned(*targets):
        return study.planned(*targets, changes=changes)

    def refused():
        return study.snakemake(TRAINED, changes=changes, check=False).stderr

    study.snakemake("dataset", TRAINED, changes=changes)
    assert planned("dataset", TRAINED) == {}

    # New time stamps alone make the features again, and train nothing.
    for path in random.Random(1).sample(sorted(folder.glob("audio/*")), 3):
        path.touch()
    assert planned("features") == {"list_clips": 1, "extract_features": 1}
    study.snakemake("dataset", "features", changes=changes)
    assert planned("dataset", TRAINED) == {}

    # Another table, and then another recording too.
    clip, table = folder / "audio/3.wav", folder / "meta.csv"
    overwrite(table, table.read_bytes().replace(b"park", b"tram"))
    assert planned(TRAINED).keys() >= {"list_clips", "extract_features", "split_clips", "train_network"}
    said = refused()
    assert "meta.csv has another content" in said and "would run 1 finished trainings and curves again" in said
    overwrite(clip, (folder / "audio/4.wav").read_bytes())
    assert "meta.csv has another content; " in (said := refused()) and "audio/3.wav was 9,644 bytes of " in said
    study.snakemake("dataset", "features", changes=changes)
    assert planned(TRAINED) == {"split_clips": 1, "train_network": 1}
    study.snakemake(TRAINED, changes=changes)
    assert planned("dataset", TRAINED) == {}

    # What was made stays without the recordings.
    for gone in (folder / "audio", folder):
        shutil.rmtree(gone)
        assert planned("dataset", TRAINED) == {}


def test_clips_that_are_shorter_than_configured_are_said_to_be_by_a_dry_run(mine):
    study, _, changes = mine
    block = changes["datasets"]["mine"] | {"features": FOLDER_FEATURES | {"duration_s": 2.5}}
    said = study.snakemake("features", "-n", changes=changes | {"dataset": "longer", "datasets": {"longer": block}})
    assert said.stderr.splitlines()[-1].startswith(
        "The first clips of longer last 0.6 s at most, but `features.duration_s` is 2.5: silence is added to them."
    )


def test_an_estimate_of_recordings_follows_their_table(mine):
    study, folder, changes = mine
    results = study.work / "results/mine"
    results.mkdir(parents=True)
    for name in ("estimate.csv", "estimate.json"):
        (results / name).touch()
    assert study.planned("estimate", changes=changes) == {}
    (folder / "meta.csv").touch()
    assert study.planned("estimate", changes=changes) == {"estimate_study": 1}
