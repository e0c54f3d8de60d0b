"""The tutorials, followed to the letter in a clone in which the tiny study stands for the demo."""

import shutil

import pytest
import yaml
from conftest import ROOT, TINY, Study
from tutorials import Box, Reader, boxes

#: The tiny study in place of the demo.
REPLACEMENTS = {"config/demo.yaml": str(TINY), "results/demo/": "results/tiny/"}


@pytest.fixture
def untouched(tmp_path):
    """The repository as it is cloned, with neither data nor results."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
        elif path.name[0] != "." and path.name not in ("data", "results"):
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def clone(finished, untouched):
    """The repository after a run of the tiny study, with a folder of recordings, and a study of it that is as tiny."""
    folder = untouched
    shutil.copytree(finished.work, folder, symlinks=True, dirs_exist_ok=True)
    tiny, own = (yaml.safe_load(path.read_text()) for path in (TINY, folder / "config/folder.yaml"))
    own |= {key: tiny[key] for key in ("width_scale", "lambdas", "training", "pruning")} | {"networks": ["vgg11"]}
    own["datasets"]["folder"]["features"] = tiny["datasets"]["tiny"]["features"]
    (folder / "config/folder.yaml").write_text(yaml.safe_dump(own))
    for clip in (finished.work / "data/tiny/audio").glob("*.wav"):
        scene, city, location, segment, _ = clip.stem.split("-")
        place = folder / "recordings/audio" / scene / f"{city}{location}_{segment}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, place)
    return folder


@pytest.mark.parametrize("name", ["recordings", "network", "method", "source"])
def test_a_tutorial_can_be_followed_in_a_hurry(clone, name):
    """Files, programs, and a plan for every command of Snakemake; `make tutorials` runs these."""
    reader = Reader(clone, True, REPLACEMENTS)
    for box in boxes(ROOT / f"docs/tutorials/{name}.md"):
        reader.follow(box)
    # The finished study is left alone, but for tables, which record the code of every stage.
    planned = Study(clone, clone).planned().keys()
    assert planned.isdisjoint({"extract_features", "split_clips", "train_network", "prune_network", "find_knee"})


@pytest.mark.tutorials
@pytest.mark.parametrize("name", ["recordings", "network", "method", "source"])
def test_a_tutorial_does_what_it_says(clone, name):
    reader = Reader(clone, False, REPLACEMENTS)
    for box in boxes(ROOT / f"docs/tutorials/{name}.md"):
        reader.follow(box)


def add(folder, name):
    """Write what a tutorial adds to the repository: its files, and its line of the registry."""
    reader = Reader(folder, True, {})
    for box in boxes(ROOT / f"docs/tutorials/{name}.md"):
        if box.role.startswith(("file=", "line=")):
            reader.follow(box)


@pytest.mark.tutorials
def test_what_tutorials_add_breaks_no_unit_test(untouched):
    for name in ("network", "method"):
        add(untouched, name)
    Reader(untouched, False, {}).follow(Box("sh", "", "python -m pytest tests/unit -q -n 2"))


@pytest.mark.tutorials
def test_a_network_that_no_setting_names_has_a_study(clone):
    """Neither the tiny study's `width_scale` nor its `lambdas` know the tutorial's family."""
    add(clone, "network")
    curves = [{"recipe": recipe, "repairs": ["statistics"]} for recipe in ("slimming", "random")]
    own = {"study": "own", "networks": ["cnn4"], "curves": curves}
    Study(clone, clone).snakemake(changes=own)
    assert "CNN-4" in (clone / "results/own/report.html").read_text()
