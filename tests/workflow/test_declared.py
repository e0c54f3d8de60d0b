"""What a rule reads is among its inputs or parameters, so that a change of it is noticed."""

import shutil

import yaml
from conftest import TINY


def test_another_lock_is_not_recorded_as_that_of_numbers_that_are_there(study):
    """It makes no number anew."""
    with open(study.code / "envs/requirements.txt", "a") as file:
        file.write("# another\n")
    assert study.planned() == {}


def test_scenes_that_were_damaged_are_not_listed(study):
    clip = sorted((study.work / "data/tiny/audio").glob("*.wav"))[3]
    clip.write_bytes(clip.read_bytes()[:-1])
    done = study.snakemake("data/tiny/clips.csv", "--forcerun", "list_clips", check=False)
    assert done.returncode == 1
    assert f"error: data/tiny/audio/{clip.name} is not as it was written" in done.stderr


def test_an_estimate_of_recordings_follows_their_table(finished, fresh, tmp_path):
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    shutil.copy(finished.work / "data/tiny/meta.csv", recordings)
    tiny = yaml.safe_load(TINY.read_text())["datasets"]["tiny"]
    block = {"source": "folder", "path": str(recordings), "devices": ["a"], "features": tiny["features"]}
    changes = {"dataset": "mine", "datasets": {"mine": block}}
    results = fresh.work / "results/tiny"
    results.mkdir(parents=True)
    for name in ("estimate.csv", "estimate.json"):
        (results / name).touch()
    assert fresh.planned("estimate", changes=changes) == {}
    (recordings / "meta.csv").touch()
    assert fresh.planned("estimate", changes=changes) == {"estimate_study": 1}
