"""A study's folder is zipped, handed on, and its tables and figures are made again where neither data nor runs are."""

import json
import re
import subprocess
import sys
import zipfile

import pandas
import pytest

from channel_sparsity.bookkeeping.fingerprint import fingerprint
from channel_sparsity.bookkeeping.handover import check
from channel_sparsity.files import StudyError, sha256

#: What the tiny study has of networks/ and pruning/methods/.
OF_TINY = (
    "sources.synthetic",
    *(f"methods.{name}" for name in ("ista", "random", "slimming", "taylor")),
    *(f"networks.{name}" for name in ("mobilenet", "resnet", "vgg")),
)

pytestmark = pytest.mark.faults


def zipped(folder, archive):
    """A zip archive of a folder, made with Python's own command."""
    subprocess.run([sys.executable, "-m", "zipfile", "-c", archive, folder.name], cwd=folder.parent, check=True)
    return archive


LIBRARY = "workflow/scripts/channel_sparsity"


def with_a_network_and_a_method_of_its_own(code):
    """Add to the workflow a family of networks and a method of pruning that no study has."""
    (code / LIBRARY / "networks/cnn.py").write_text("def build():\n    return None\n")
    (code / LIBRARY / "pruning/methods/own.py").write_text("def order():\n    return None\n")
    naming = code / LIBRARY / "naming.py"
    known, others = naming.read_text().split("}\n", 1)
    naming.write_text(f'{known}    "cnn": Family("CNN", ("cnn4",)),\n}}\n{others}')


def test_a_stranger_makes_tables_and_figures_again(finished, fresh, tmp_path):
    with_a_network_and_a_method_of_its_own(fresh.code)
    archive = zipped(finished.work / "results/tiny", tmp_path / "tiny.zip")
    adopt = [sys.executable, fresh.code / "workflow/scripts/adopt_study.py", archive, "--directory", fresh.work]
    done = subprocess.run([*adopt, "--cores", "2"], cwd=fresh.code, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "36 tables and figures" in done.stdout and "36 of them to the same bytes (others: none)" in done.stdout
    ours, theirs = (
        {path: content for path, content in study.files("results/tiny").items() if path.name != "configuration.json"}
        for study in (fresh, finished)
    )
    assert ours.keys() == theirs.keys()
    differing = {path for path in ours if ours[path] != theirs[path]}
    # Records beside tables alone, since the list of all networks is code of the tables.
    assert {(path.parent.name, path.suffix) for path in differing} <= {("tables", ".json"), ("tables", ".sha256")}
    assert not list(fresh.work.rglob("*.wav")) and not list(fresh.work.rglob("logmel.h5"))
    log = (fresh.work / "results/tiny/tables/tables.log").read_text()
    assert log != (finished.work / "results/tiny/tables/tables.log").read_text(), "the tables were made here"

    known = fresh.work / "results/tiny/configuration.json"
    assert fresh.planned(configfile=known) == {}
    knees = fresh.planned(configfile=known, changes={"knee": {"rule": "kneed"}})
    assert knees["find_knee"] == 16 and "train_network" not in knees and "prune_network" not in knees
    assert fresh.planned(configfile=known, changes={"training": {"epochs": 9}})["train_network"] == 6
    assert fresh.planned(configfile=known, changes={"split": {"seed": 2}})["split_clips"] == 1

    again = subprocess.run(adopt, cwd=fresh.code, capture_output=True, text=True)
    assert again.returncode == 1 and again.stderr.startswith("error: ") and "is there already" in again.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "rules"),
    [
        ("networks/vgg.py", "names[1:]", "names[1:][:]", "prune_network, remake_network, train_network"),
        ("pruning/methods/ista.py", ".detach().abs() / costs", ".abs().detach() / costs", "prune_network"),
    ],
)
def test_a_study_of_other_networks_or_methods_is_refused(finished, fresh, tmp_path, name, old, new, rules):
    fresh.edit(f"{LIBRARY}/{name}", old, new)
    archive = zipped(finished.work / "results/tiny", tmp_path / "tiny.zip")
    adopt = [sys.executable, fresh.code / "workflow/scripts/adopt_study.py", archive, "--directory", fresh.work]
    refused = subprocess.run(adopt, cwd=fresh.code, capture_output=True, text=True)
    assert refused.returncode == 1
    said = re.fullmatch(r"error: .*/results/tiny was made by other code of (.*) than this tree's: .*\n", refused.stderr)
    assert said and set(rules.split(", ")) <= set(said[1].split(", ")), refused.stderr


def test_the_record_leads_back_to_everything(finished):
    folder = finished.work / "results/tiny"
    record = json.loads((folder / "provenance.json").read_text())
    for name, digest in record["files_sha256"].items():
        assert sha256(finished.work / name) == digest
    assert record["data"]["features_sha256"] and record["seeds"] == {"replicates": [1], "split": 1, "scenes": 1}
    assert {"train_network", "draw_figures", "vary_readings"} <= record["code"].keys()
    scripts = finished.code / "workflow/scripts"
    prints = {chosen: fingerprint(scripts / "prune_network.py", chosen) for chosen in (OF_TINY, OF_TINY[:-1])}
    own, fewer = prints.values()
    assert record["code"]["prune_network"] == own != fewer, "of its networks and methods alone"
    run = json.loads((folder / "run.json").read_text())
    assert {rule: made["jobs"] for rule, made in run["rules"].items() if made["jobs"] > 1} == {
        "train_network": 6,
        "measure_sparsity": 6,
        "prune_network": 16,
        "find_knee": 16,
    }
    assert all(0 <= made["hours"] < 1 and len(made["on"]) == 1 for made in run["rules"].values())


def test_no_cell_is_a_spreadsheets_formula(finished):
    """Numbers may begin with a sign; no words do."""
    tables = sorted((finished.work / "results/tiny").rglob("*.csv"))
    assert len(tables) > 50
    for table in tables:
        frame = pandas.read_csv(table, dtype=str, keep_default_na=False)
        for column in frame:
            words = frame[column][pandas.to_numeric(frame[column], errors="coerce").isna()]
            assert not words.str.match(r"[=+\-@\t\r]").any(), f"{table}: {column}"


def test_a_changed_number_is_not_adopted(finished, tmp_path):
    archive = zipped(finished.work / "results/tiny", tmp_path / "tiny.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    curve = tmp_path / "tiny/prune/slimming/vgg11/lambda-0/seed-1/curve.csv"
    curve.write_text(curve.read_text().replace("0.", "1.", 1))
    with pytest.raises(StudyError, match=r"curve.csv is not as it was written"):
        check(tmp_path / "tiny", lambda _: {})
