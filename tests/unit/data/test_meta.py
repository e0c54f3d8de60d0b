"""Lists of clips, and how many clips there must be."""

import pytest

from channel_sparsity.data.meta import check_expected, read_list
from channel_sparsity.files import StudyError


def test_a_list_of_clips_needs_their_names_alone(tmp_path):
    path = tmp_path / "fold1_train.csv"
    path.write_text("scene_label\tfilename\r\nbus\taudio/x.wav\r\nbus\taudio/y.wav\r\n")
    assert read_list(path) == ["audio/x.wav", "audio/y.wav"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, r"fold\.csv is missing: list the clips in it, tab-separated, with the column filename$"),
        ("", r"fold\.csv is empty: "),
        ("scene_label\nbus\n", r"fold\.csv has the columns 'scene_label' but not 'filename': "),
        ("filename\n", r"fold\.csv lists no clip: "),
    ],
)
def test_what_is_no_list_is_named(tmp_path, text, expected):
    if text is not None:
        (tmp_path / "fold.csv").write_text(text)
    with pytest.raises(StudyError, match=expected):
        read_list(tmp_path / "fold.csv")


def test_expected_counts_that_are_met_or_not_asked_for():
    counts = {"bus": 2, "park": 2}
    for expected in ({}, {"clips": 4}, {"clips_per_scene": 2}, {"clips": 4, "clips_per_scene": 2}):
        check_expected(counts, expected, "x")
    check_expected({"bus": 1, "park": 2}, {"clips": 3}, "x")


def test_what_is_missing_of_the_expected_counts_is_said():
    with pytest.raises(StudyError, match=r"^meta\.csv has 1 of bus, 3 of tram, not 2 of each scene: "):
        check_expected({"bus": 1, "park": 2, "tram": 3}, {"clips": 6, "clips_per_scene": 2}, "meta.csv")
    with pytest.raises(StudyError, match=r"^meta\.csv has 6 clips, not 8: "):
        check_expected({"bus": 2, "park": 2, "tram": 2}, {"clips": 8, "clips_per_scene": 2}, "meta.csv")
