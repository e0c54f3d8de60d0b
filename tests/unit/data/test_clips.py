"""Names and the table of the clips."""

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_sparsity.data.clips import (
    COLUMNS,
    ClipName,
    clip_table,
    parse_name,
    read_clips,
    split_identifier,
    write_clips,
)
from channel_sparsity.files import StudyError

PART = st.text(st.characters(categories=["L", "N"], include_characters="_"), min_size=1, max_size=8)


def row(filename, **others):
    values = {column: "x" if kind is str else 1 for column, kind in COLUMNS.items()}
    return {**values, "filename": filename, **others}


def test_a_name_of_tau_is_taken_apart():
    name = parse_name("audio/metro_station-lisbon-1000-40000-s1.wav")
    assert name == ClipName("metro_station", "lisbon", "1000", "40000", "s1")


@given(st.tuples(PART, PART, PART, PART, PART))
def test_every_name_of_five_parts_is_taken_apart(parts):
    assert parse_name("audio/" + "-".join(parts) + ".flac") == parts


@pytest.mark.parametrize("name", ["a.wav", "a-b-c-d.wav", "a-b-c-d-e-f.wav", "a--c-d-e.wav", "a-b-c-d/e-f.wav"])
def test_other_names_are_none(name):
    assert parse_name(name) is None


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("lisbon-1000", ("lisbon", "1000")),
        ("new-york-12", ("new-york", "12")),
        ("harbour", ("", "harbour")),
        ("-12", ("", "-12")),
        ("lisbon-", ("", "lisbon-")),
    ],
)
def test_an_identifier_is_a_city_and_a_location_or_a_location(identifier, parts):
    assert split_identifier(identifier) == parts


def test_the_table_is_sorted_and_has_its_columns_and_types():
    table = clip_table([row("audio/b.wav", duration_s=10), row("audio/a.wav")])
    assert list(table.columns) == list(COLUMNS)
    assert list(table["filename"]) == ["audio/a.wav", "audio/b.wav"]
    assert table["duration_s"].dtype == "float64"
    assert list(table.index) == [0, 1]


def test_the_table_survives_its_file(tmp_path):
    words = ["NA", "nan", "None", "null", "True", "007", "1e3", "", "a, b (c)", "café", "\N{HEBREW LETTER SHIN}x"]
    named = [column for column, kind in COLUMNS.items() if kind is str]
    table = clip_table([row(f"audio/{word}.wav", **dict.fromkeys(named[1:], word), duration_s=1 / 3) for word in words])
    write_clips(tmp_path / "clips.csv", table)
    pandas.testing.assert_frame_equal(read_clips(tmp_path / "clips.csv"), table)


@pytest.mark.parametrize("text", [None, "", "filename,scene\na,b\n"])
def test_a_file_that_is_no_table_is_named(tmp_path, text):
    path = tmp_path / "clips.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StudyError, match=r"clips\.csv is no table of clips .*: delete it and run again"):
        read_clips(path)
