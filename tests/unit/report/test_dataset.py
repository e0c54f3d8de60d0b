import copy

import pandas
from cells_for_tests import record
from made_up_study import CONFIGURATION

from channel_sparsity.report.dataset import recordings
from channel_sparsity.tables import study as tables

SPLIT = pandas.DataFrame({"subset": ["train"] * 7 + ["validation"] * 3})
MANIFEST = {"clips": 10, "clips_per_scene": {"bus": 4, "park": 6}, "frames": 401, "padded": 2, "cut": 0, "silent": 1}
CELLS = tables.cells([record("vgg11", lam="0", accuracy=0.9), record("vgg11", lam="1e-6", accuracy=0.85)], 0.03)


def said(kind="random", **block):
    config = copy.deepcopy(CONFIGURATION)
    config["datasets"]["tau2020"] |= block
    config["split"]["kind"] = kind
    return recordings(config, MANIFEST, SPLIT, CELLS)


def test_a_record_has_the_licence_of_the_configuration():
    data = said()
    assert data.licence == CONFIGURATION["datasets"]["tau2020"]["record"]["licence"] and not data.warning
    assert data.scenes == {"bus": 4, "park": 6}


def test_what_is_not_known_of_a_folder_is_said():
    config = copy.deepcopy(CONFIGURATION)
    block = {key: config["datasets"]["tau2020"][key] for key in ("devices", "features")}
    config["datasets"] = {"tau2020": block | {"source": "folder", "path": "/secret/place"}}
    data = recordings(config, MANIFEST, SPLIT, CELLS)
    assert "does not know the licence" in data.licence
    assert "/secret" not in " ".join(data.sentences)


def test_a_record_that_was_unpacked_keeps_its_licence_under_reserve():
    assert said(source="folder", path="x").licence.startswith(
        "If the folder holds what the configuration names, then: TAU"
    )


def test_synthetic_scenes_are_called_so():
    data = said(source="synthetic")
    assert "synthetic" in data.warning and "MIT" in data.licence and "Nothing on this page" in data.sentences[0]


def test_what_was_done_to_clips_and_how_they_were_split():
    _, clips, sides = said().sentences
    assert clips.startswith("It has 10 clips of 2 scenes, 10 s each, from device a, read")
    assert "from devices a, b, read" in said(devices=["a", "b"]).sentences[1]
    assert clips.endswith("; 2 padded to that length, 1 silent.")
    assert sides.startswith("7 clips train and 3 validate.") and "no claim about new places" in sides
    assert "85.0 to 90.0 % of the validation clips" in sides
    assert "No place stands on both sides" in said("location").sentences[-1]
