import copy
import itertools

import pytest
import yaml
from made_up_study import CONFIGURATION, ROOT

from channel_sparsity.naming import FAMILIES, Family
from channel_sparsity.report.departures import NOT_SAID, SETTINGS, departures


def overlay(name):
    """The base configuration under an overlay, as Snakemake merges them."""

    def merge(base, changes):
        for key, value in changes.items():
            base[key] = merge(base[key], value) if isinstance(value, dict) and key in base else value
        return base

    return merge(copy.deepcopy(CONFIGURATION), yaml.safe_load((ROOT / "config" / name).read_text()))


def literal():
    """The configuration that comes closest to the paper's words."""
    config = copy.deepcopy(CONFIGURATION)
    config["training"]["optimiser"] = "adam"
    config["curves"] = [{"recipe": "slimming"}, {"recipe": "ista"}]
    return config


def test_the_papers_words_are_no_departure():
    rows, agreeing = departures(literal())
    differing = [row["what"] for row in rows if row["paper"] != NOT_SAID]
    assert differing == ["Rule of the knee", "PK counts", "Compression rate"]
    assert agreeing + len(rows) == len(SETTINGS) - 2, "statistics are not taken anew, and strides are 1"


def test_the_papers_study_differs_where_the_readings_say():
    rows, _ = departures(CONFIGURATION)
    readings = {row["what"]: row["reading"] for row in rows if row["paper"] != NOT_SAID}
    assert readings["Optimiser"] == "R6" and readings["Rule of the knee"] == "R21"
    assert len(readings) == 5, "the recipes, and what to count, beside these"


def test_the_demo_says_how_far_it_is_from_the_paper():
    ours = {row["what"]: row["ours"] for row in departures(overlay("demo.yaml"))[0]}
    assert ours["Recordings"] == "embedded synthetic scenes"
    assert ours["Networks"] == "VGG-11 x 0.25, VGG-13 x 0.25, ResNet-11 x 0.5, ResNet-20 x 0.5, MobileNet 0.25"
    assert (ours["Epochs"], ours["Window"], ours["Hop"]) == ("16", "80 ms", "100 % of the window")
    assert (ours["Frequency mask"], ours["Time mask"]) == ("0 bands", "0 % of a clip")
    assert ours["Levels of lambda"].startswith("0, 1e-3, 2e-3, 3e-3; 0, 1e-3, 3e-3, 4e-3; ")
    assert ours["Pruning"] == "Liu et al., the recipe random"
    assert ours["Training and validation"] == "71.5 % and 28.5 %"
    assert "Ye et al.'s training" not in ours, "it prunes by Liu et al.'s method only"


@pytest.mark.parametrize(
    ("changes", "what", "ours"),
    [
        ({"split": {"kind": "official", "train_list": "x"}}, "Training and validation", "the official lists"),
        ({"split": CONFIGURATION["split"] | {"train_share": 0.6}}, "Training and validation", "60 % and 40 %"),
        ({"knee": {"rule": "kneed", "axis": "masked", "sensitivity": 2.0, "online": True}}, "Rule of the knee",
         "Kneedle, psi = 2, online"),
        ({"knee": {"rule": "literal", "axis": "channels", "sensitivity": 0.5, "online": False}}, "Rule of the knee",
         "Kneedle as section 2.3 describes it, psi = 0.5"),
        ({"training": CONFIGURATION["training"] | {"clip_gammas": 0.05}}, "Bounds on gradients",
         "each gamma's at most 0.05"),
        ({"pruning": CONFIGURATION["pruning"] | {"finetuning": {"when": "none", "recalibrate": False}}},
         "Epochs of fine-tuning", "none"),
        ({"curves": [{"recipe": "slimming", "repairs": ["gentle"]}]}, "Epochs of fine-tuning", "1"),
        ({"curves": [{"recipe": "slimming", "repairs": ["gentle", "cut"]}]}, "... learning rate",
         "0.01, falls in a line to 0"),
        ({"curves": [{"recipe": "slimming", "repairs": ["statistics", "gentle"]}]}, "... running statistics",
         "taken anew"),
        ({"seeds": [1, 2, 3]}, "Trainings of a network at a lambda", "3"),
    ],
)  # fmt: skip
def test_a_changed_setting_is_said(changes, what, ours):
    rows, _ = departures(CONFIGURATION | changes)
    assert {row["what"]: row["ours"] for row in rows}[what] == ours


def test_networks_may_be_of_a_family_that_no_setting_names(monkeypatch):
    monkeypatch.setitem(FAMILIES, "further", Family("Further", ("further4",)))
    own = {"networks": ["vgg11", "resnet11", "further4"], "width_scale": {"vgg": 0.5}}
    ours = {row["what"]: row["ours"] for row in departures(CONFIGURATION | own)[0]}
    assert ours["Networks"] == "VGG-11 x 0.5, ResNet-11, Further-4"
    assert ours["Levels of lambda"] == ", ".join(CONFIGURATION["lambdas"]["default"])


@pytest.mark.parametrize("repairs", list(itertools.permutations(["cut", "statistics", "full"])))
def test_of_several_repairs_the_one_at_which_claims_are_judged_stands_beside_the_paper(repairs):
    slimming = {"recipe": "slimming", "repairs": list(repairs)}
    several = CONFIGURATION | {"curves": [slimming, {"recipe": "ista", "repairs": ["cut"]}]}
    assert departures(several) == departures(CONFIGURATION | {"curves": [{"recipe": "slimming"}, {"recipe": "ista"}]})


def test_a_folder_is_named_by_its_data_set_and_not_by_its_path():
    config = overlay("folder.yaml")
    (row,) = (row for row in departures(config)[0] if row["what"] == "Recordings")
    assert row["ours"] == "folder, device a"


def test_another_stride_of_the_first_convolution_is_named():
    def strides(config):
        return [row["ours"] for row in departures(config)[0] if row["what"] == "Stride of the first convolution"]

    assert strides(CONFIGURATION) == [], "1 everywhere"
    (said,) = strides(copy.deepcopy(CONFIGURATION) | {"stem_stride": {"resnet": 2}})
    assert said == "ResNet-11: 2, ResNet-20: 2, ResNet-29: 2, ResNet-38: 2"
