"""Settings under which no cell can count are said beforehand; those that ship give no reason to."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from channel_sparsity.data.sources import Extent
from channel_sparsity.planning.doubts import doubts

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
EXTENT = Extent(clips=400, scenes=10)


def test_the_papers_study_gives_no_reason_to_doubt():
    assert list(doubts(CONFIG, EXTENT)) == []


@pytest.mark.parametrize(
    ("changes", "extent", "words"),
    [
        ({"training": {"epochs": 4}}, EXTENT, r"^4 epochs are about 36 updates .* fewer than 44 .*: raise `training"),
        ({"training": {"batch_size": 280, "epochs": 43}}, EXTENT, r"about 43 updates"),
        ({"training": {"batch_size": 2}}, Extent(20, 2), r"^about 6 clips validate, and with fewer than 9 "),
        ({"pruning": {"step": 0.5}}, EXTENT, r"^the curves of slimming-cut have one step"),
    ],
)
def test_what_lets_no_cell_count_is_said(changes, extent, words):
    config = copy.deepcopy(CONFIG)
    for block, settings in changes.items():
        config[block] |= settings
    said = list(doubts(config, extent))
    assert re.search(words, said[0]), said


def test_enough_updates_are_enough():
    config = copy.deepcopy(CONFIG)
    config["training"] |= {"batch_size": 280, "epochs": 44}
    assert list(doubts(config, EXTENT)) == []
