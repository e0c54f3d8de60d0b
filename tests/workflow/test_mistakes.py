"""Mistakes that users make reach the terminal as one sentence, and leave nothing half written."""

import os
import re
import shutil

import pytest
from conftest import FOLDER_FEATURES, PRUNE, TINY_BLOCK, TRAIN, errors

from channel_sparsity import cell
from channel_sparsity.files import StudyError, read_json, write_json


def folder_config(tmp_path, path):
    """An overlay for a folder of recordings."""
    write_json(
        tmp_path / "mine.yaml",
        {
            "study": "mine",
            "dataset": "mine",
            "networks": ["vgg11"],
            "curves": [{"recipe": "slimming"}],
            "datasets": {
                "mine": {"source": "folder", "path": str(path), "devices": ["a"], "features": FOLDER_FEATURES}
            },
        },
    )
    return tmp_path / "mine.yaml"


def test_a_wrong_key_stops_the_run_before_any_job(fresh):
    done = fresh.snakemake("--config", "trainig={epochs: 3}", check=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "the command line (--config): unknown key `trainig`: did you mean `training`?" in text
    assert "Traceback" not in text and not any(fresh.work.glob("data"))


def test_a_missing_folder_is_named(fresh, tmp_path):
    sentence = f"{tmp_path}/nowhere is not a folder: name the folder that holds audio/ and meta.csv"
    configfile = folder_config(tmp_path, tmp_path / "nowhere")
    refused = fresh.snakemake("dataset", configfile=configfile, check=False)
    assert refused.returncode == 1 and refused.stderr.splitlines()[-1] == sentence
    dry = fresh.snakemake("dataset", "-n", configfile=configfile)
    assert dry.stderr.splitlines()[-1] == f"This would be refused: {sentence}"
    assert not any(fresh.work.glob("data"))


def test_a_disk_without_room_for_the_features_is_named_before_they_are_made(fresh):
    features = FOLDER_FEATURES | {"duration_s": 3600.0, "hop_samples": 1}
    changes = {"dataset": "large", "datasets": {"large": {**TINY_BLOCK, "features": features}}}
    last = fresh.snakemake("features", "-n", changes=changes).stderr.splitlines()[-1]
    assert re.match(r"This would be refused: data/large needs about [\d.e+]+ GB more, and the disk has .* free: ", last)


def test_a_target_that_there_is_not_is_answered_with_the_nearest(fresh):
    cell = "results/tiny/train/vgg11/lambda-{}/seed-1/metrics.json"
    for target, sentence in {
        "figure": "There is no target figure: did you mean figures?",
        cell.format("0.01"): f"There is no target {cell.format('0.01')}: did you mean {cell.format('1e-2')}?",
        "results/demo/report.html": "results/demo/report.html is of another study, and this configuration is of "
        "results/tiny: name the other one's with --configfile, after the target.",
    }.items():
        refused = fresh.snakemake(target, "-n", check=False)
        assert refused.returncode == 1 and refused.stdout.splitlines()[-1] == sentence


def test_a_configuration_that_is_no_yaml_is_named_with_its_line(fresh):
    with open(fresh.code / "config.yaml", "a") as file:
        file.write("training:\n\tepochs: 3\n")
    refused = fresh.snakemake("-n", configfile=None, check=False)
    lines, last = len((fresh.code / "config.yaml").read_text().splitlines()), refused.stdout.splitlines()[-1]
    assert refused.returncode == 1 and last.startswith(f"{fresh.code}/config.yaml, line {lines}: ")
    assert last.endswith("indent with spaces, not with tabs")


@pytest.fixture
def recordings(finished, tmp_path):
    """A folder of recordings: the tiny scenes."""
    for name in ("audio", "meta.csv"):
        source = finished.work / "data/tiny" / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        (tmp_path / "recordings").mkdir(exist_ok=True)
        copy(source, tmp_path / "recordings" / name)
    return tmp_path / "recordings"


def test_a_folder_of_recordings_gives_the_features_of_the_same_clips(finished, fresh, recordings, tmp_path):
    fresh.snakemake("features", configfile=folder_config(tmp_path, recordings))
    ours, theirs = (
        read_json(study.work / f"data/{name}/manifest.json")["features_sha256"]
        for study, name in ((fresh, "mine"), (finished, "tiny"))
    )
    assert ours == theirs


def test_a_clip_that_cannot_be_decoded_is_named_and_no_store_is_left(fresh, recordings, tmp_path):
    clip = sorted((recordings / "audio").glob("*.wav"))[3]
    clip.write_bytes(b"not a sound")
    done = fresh.snakemake("features", configfile=folder_config(tmp_path, recordings), check=False)
    (sentence,) = errors(done)
    assert clip.name in sentence
    assert not list(fresh.work.rglob("*.h5"))


@pytest.mark.parametrize(
    ("file", "target", "rule"),
    [
        ("data/tiny/audio/bus-barcelona-1-3-a.wav", "data/tiny/clips.csv", "list_clips"),
        ("data/tiny/logmel.h5", "results/tiny/split.csv", "split_clips"),
        (f"{TRAIN}/weights.safetensors", f"{PRUNE}/curve.csv", "prune_network"),
    ],
)
def test_a_file_that_was_damaged_is_named_by_the_job_that_reads_it(study, file, target, rule):
    os.truncate(study.work / file, (study.work / file).stat().st_size // 2)
    (sentence,) = errors(study.snakemake(target, "--forcerun", rule, check=False))
    assert sentence.startswith(f"error: {file} is not as it was written") and "delete" in sentence


def test_a_cell_under_another_lambdas_name_reaches_no_table(study):
    train = study.work / "results/tiny/train/vgg11"
    for old, new in (("lambda-0", "between"), ("lambda-1e-2", "lambda-0"), ("between", "lambda-1e-2")):
        (train / old).rename(train / new)
    before = study.files("results")
    for folder in ("results/tiny", "results/tiny/partial"):
        refused = study.snakemake(f"{folder}/tables/cells.csv", "--force", check=False)
        assert refused.returncode == 1 and refused.stderr.splitlines()[-1].startswith(
            "results/tiny/train/vgg11/lambda-0/seed-1 holds the files of train/vgg11/lambda-1e-2/seed-1: "
        )
    assert study.files("results") == before, "no curve is deleted to be traced from another network"
    with pytest.raises(StudyError, match="holds the files of"):
        cell.load(study.work / "results/tiny", "vgg11")


def test_two_blocks_never_share_a_folder(study):
    done = study.snakemake(changes={"datasets": {"tiny": {"synthetic": {"seed": 2}}}}, check=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0 and "data/tiny was made from other settings of `datasets.tiny` (synthetic)" in text


def test_a_study_beside_this_one_that_is_not_finished_is_named(study):
    done = study.snakemake("results/tiny/tables/readings.csv", changes={"beside": ["nowhere"]}, check=False)
    table = "results/nowhere/tables/readings.csv"
    assert errors(done) == {f"error: {table} does not exist: run the study nowhere first, or take it out of `beside`"}
