"""A cell of a finished study, in a notebook."""

import pandas
import pytest
from conftest import ROOT
from tutorials import boxes

from channel_sparsity.cell import load
from channel_sparsity.files import StudyError

CELL = "vgg11/lambda-1e-2/seed-1"


def test_the_page_on_notebooks_does_what_it_says(finished, tmp_path, monkeypatch):
    for folder in ("data", "results"):
        (tmp_path / folder).symlink_to(finished.work / folder)
    monkeypatch.chdir(tmp_path)
    shell = {}
    for box in boxes(ROOT / "docs/how-to/notebook.md"):
        if box.language == "python":
            exec(box.text.replace("results/demo", "results/tiny").replace("1e-3", "1e-2"), shell)
    cell, smaller = shell["cell"], shell["smaller"]
    step = pandas.read_csv(finished.work / f"results/tiny/prune/slimming/{CELL}/curve.csv")
    assert shell["before"] == pytest.approx(cell.row["accuracy"]) == pytest.approx(step["accuracy"].iloc[0])
    channels = sum(len(channel.weight) for name, channel in smaller.named_modules() if name.endswith("norm"))
    assert channels == len(cell.gammas) - round(0.5 * len(cell.gammas))
    assert (tmp_path / "curve.svg").stat().st_size > 0


def test_what_a_study_does_not_have_is_named_with_what_it_has(finished, tmp_path):
    with pytest.raises(
        StudyError,
        match=r"has no cell of recipe ista: choose from slimming-statistics, slimming, random-statistics, taylor-cut",
    ):
        load(finished.work / "results/tiny", "vgg11", recipe="ista")
    with pytest.raises(StudyError, match=r"has no cell of lam 1e-3: choose from 0, 1e-2"):
        load(finished.work / "results/tiny", "vgg11", lam="1e-3")
    with pytest.raises(StudyError, match=r"name the folder of a study whose tables have been made"):
        load(tmp_path, "vgg11")
