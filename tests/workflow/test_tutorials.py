"""The tutorials, followed to the letter in a clone in which the tiny study stands for the demo."""

import shutil

import pytest
import yaml
from conftest import ROOT, TINY, Study, copy_of_the_workflow
from tutorials import Reader, boxes

#: The tiny study in place of the demo.
REPLACEMENTS = {"config/demo.yaml": str(TINY), "results/demo/": "results/tiny/"}


@pytest.fixture
def clone(finished, tmp_path):
    """The repository after a run of the tiny study, with a folder of recordings, and a study of it that is as tiny."""
    folder = copy_of_the_workflow(tmp_path / "clone")
    shutil.copytree(finished.work, folder, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(ROOT / "tests/unit", folder / "tests/unit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
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
