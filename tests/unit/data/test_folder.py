"""A folder of clips is read as it is, and what is wrong with it is said in a sentence."""

import unicodedata

import numpy as np
import pytest

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.meta import files_in_audio
from channel_sparsity.data.sources import source_of
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.files import StudyError


def complaint(dataset, devices=("a",)):
    """The sentence that reading the folder gives: one line, the folder in it, what to do after a colon."""
    with pytest.raises(StudyError) as raised:
        read_folder(dataset.root, devices)
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert str(dataset.root) in sentence
    assert ": " in sentence
    return sentence


def test_a_folder_of_tau_is_read(dataset):
    clips = read_folder(dataset.root, ["a"])
    assert clips.to_dict("records")[1] == {
        "filename": "audio/bus-vienna-7-0-a.wav",
        "scene": "bus",
        "city": "vienna",
        "location": "7",
        "segment": "0",
        "device": "a",
        "identifier": "vienna-7",
        "duration_s": 1.0,
        "sample_rate_hz": 44100,
        "channels": 1,
    }
    assert clips["filename"].is_monotonic_increasing


def test_other_names_take_city_and_location_from_the_identifier(dataset):
    dataset.add("one.wav", "bus", "oslo-12")
    dataset.add("two.wav", "bus", "harbour")
    clips = read_folder(dataset.root, ["a"]).set_index("filename")
    columns = ["city", "location", "segment", "device"]
    assert list(clips.loc["audio/one.wav", columns]) == ["oslo", "12", "", "a"]
    assert list(clips.loc["audio/two.wav", columns]) == ["", "harbour", "", "a"]


def test_a_name_that_contradicts_its_row_is_not_believed(dataset):
    dataset.add("bus-oslo-1-2-a.wav", "bus", "fold-3-x")
    clip = read_folder(dataset.root, ["a"]).set_index("filename").loc["audio/bus-oslo-1-2-a.wav"]
    assert list(clip[["city", "location", "segment"]]) == ["fold-3", "x", ""]


def test_any_format_rate_and_number_of_channels_is_described(dataset):
    dataset.add("long.flac", "bus", "oslo-1", samples=np.zeros((24000, 2)), rate=8000, subtype="PCM_16")
    clip = read_folder(dataset.root, ["a"]).set_index("filename").loc["audio/long.flac"]
    assert list(clip[["duration_s", "sample_rate_hz", "channels"]]) == [3.0, 8000, 2]


def test_only_the_chosen_devices_are_read_and_others_need_no_file(dataset):
    dataset.add("bus-lisbon-7-0-b.wav", "bus", "lisbon-7", "b")
    (dataset.root / "audio/bus-lisbon-7-0-b.wav").unlink()
    assert len(read_folder(dataset.root, ["a"])) == 4
    assert "bus-lisbon-7-0-b.wav" in complaint(dataset, ["a", "b"])


def test_columns_may_stand_in_any_order_and_beside_others(dataset):
    expected = read_folder(dataset.root, ["a"])
    dataset.HEADER = ("note", *reversed(dataset.HEADER))
    dataset.rows = [["", *reversed(row)] for row in dataset.rows]
    dataset.save()
    assert read_folder(dataset.root, ["a"]).equals(expected)


@pytest.mark.parametrize(("prefix", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n"), (b"", b"\n\n")])
def test_marks_and_line_ends_of_other_systems_do_not_matter(dataset, prefix, end):
    expected = read_folder(dataset.root, ["a"])
    meta = dataset.root / "meta.csv"
    meta.write_bytes(prefix + meta.read_bytes().replace(b"\n", end))
    assert read_folder(dataset.root, ["a"]).equals(expected)


@pytest.mark.parametrize("name", [".DS_Store", "._x.wav", "Thumbs.db", "desktop.ini", ".AppleDouble/x.wav"])
def test_what_systems_leave_behind_is_overlooked(dataset, name):
    (dataset.root / "audio" / name).parent.mkdir(exist_ok=True)
    (dataset.root / "audio" / name).touch()
    assert len(read_folder(dataset.root, ["a"])) == 4


def test_links_in_a_circle_are_not_followed(dataset):
    before = files_in_audio(dataset.root)
    for name, target in (("here", "."), ("up", ".."), ("audio", "../audio")):
        (dataset.root / "audio" / name).symlink_to(target)
    assert files_in_audio(dataset.root) == before


def test_a_folder_that_is_linked_to_is_looked_into(dataset, tmp_path):
    """So that a recording there that is replaced is noticed, and one without a row."""
    (tmp_path / "elsewhere").mkdir()
    (dataset.root / "audio/linked").symlink_to(tmp_path / "elsewhere")
    dataset.add("linked/x.wav", "bus", "oslo-1")
    assert len(read_folder(dataset.root, ["a"])) == 5
    source = source_of({"source": "folder", "path": str(dataset.root)})
    assert sorted(path.relative_to(dataset.root).as_posix() for path in source.recordings()) == sorted(
        row[0] for row in dataset.rows
    )
    (tmp_path / "elsewhere/y.wav").touch()
    assert "no row for 'audio/linked/y.wav'" in complaint(dataset)


def test_clips_outside_audio_are_refused(dataset):
    """No one would notice if they were replaced."""
    (dataset.root / "audio").rename(dataset.root / "clips")
    for prefix in ("clips/", ""):
        for row in dataset.rows:
            row[0] = prefix + row[0].rpartition("/")[2]
        dataset.save()
        name = dataset.rows[0][0]
        words = f"lists {name!r} (and 3 more), but not in audio/: put the clips there and write 'audio/{name}'"
        assert words in complaint(dataset)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_table", ["NFC", "NFD"])
def test_a_letter_with_its_mark_in_one_character_or_two_is_the_same(dataset, on_disk, in_table):
    """macOS writes names of files in NFD, keyboards and tables are in NFC."""
    name, scene = "caf\u00e9.wav", "caf\u00e9"
    dataset.add(unicodedata.normalize(on_disk, name), unicodedata.normalize(in_table, scene), "oslo-1")
    dataset.add("other.wav", scene, "oslo-2")
    dataset.rows[-2][0] = unicodedata.normalize(in_table, f"audio/{name}")
    dataset.save()
    clips = read_folder(dataset.root, ["a"])
    assert (clips["scene"] == scene).sum() == 2 and f"audio/{name}" in set(clips["filename"])
    assert dataset.read(f"audio/{name}", LogMel()).waveform.any()


@pytest.mark.parametrize("name", ["caf\u00e9/e\u0301.wav", "e\u0301\u00e9.wav", "\ufa19\u212b.wav"])
def test_names_that_are_in_neither_form_are_found(dataset, name):
    """A folder of one system with files of another, and letters that both forms write as others."""
    (dataset.root / "audio" / name).parent.mkdir(exist_ok=True)
    dataset.add(name, "bus", "oslo-1")
    composed = unicodedata.normalize("NFC", f"audio/{name}")
    assert composed in set(read_folder(dataset.root, ["a"])["filename"])
    assert dataset.read(composed, LogMel()).waveform.any()


def test_a_missing_folder(dataset):
    dataset.root = dataset.root / "gone"
    assert "is not a folder" in complaint(dataset)


def test_a_missing_table(dataset):
    (dataset.root / "meta.csv").unlink()
    assert "meta.csv is missing" in complaint(dataset)


@pytest.mark.parametrize("text", ["", "\n \t\n"])
def test_an_empty_table(dataset, text):
    (dataset.root / "meta.csv").write_text(text)
    assert "is empty" in complaint(dataset)


def test_a_table_without_rows(dataset):
    dataset.rows = []
    dataset.save()
    assert "lists no clip" in complaint(dataset)


def test_a_table_that_is_not_text(dataset):
    (dataset.root / "meta.csv").write_bytes(b"\xff\xfe\x00f")
    assert "UTF-8" in complaint(dataset)


@pytest.mark.parametrize("separator", [",", ";"])
def test_commas_instead_of_tabs(dataset, separator):
    dataset.save(separator)
    assert "put tabs there" in complaint(dataset)


def test_a_wrong_column(dataset):
    dataset.HEADER = ("filename", "scene", "identifier", "source_label")
    dataset.save()
    assert "not 'scene_label'" in complaint(dataset)


@pytest.mark.parametrize("line", ["audio/x.wav\tbus\tlisbon-7", "audio/x.wav\tbus\tlisbon-7\ta\ta"])
def test_a_line_with_too_few_or_too_many_columns(dataset, line):
    with open(dataset.root / "meta.csv", "a") as file:
        file.write(line + "\n")
    assert "'audio/x.wav'" in complaint(dataset)


def test_a_duplicate_name(dataset):
    dataset.rows += dataset.rows[2:]
    dataset.save()
    assert "'audio/park-lisbon-7-0-a.wav' (and 1 more) more than once" in complaint(dataset)


def test_rows_without_a_file(dataset):
    for row in dataset.rows[2:]:
        (dataset.root / row[0]).unlink()
    assert "lists 'audio/park-lisbon-7-0-a.wav' (and 1 more), but no such file" in complaint(dataset)


def test_files_without_a_row(dataset):
    dataset.rows, rows = dataset.rows[:2], dataset.rows
    dataset.save()
    assert f"no row for {rows[2][0]!r} (and 1 more)" in complaint(dataset)


@pytest.mark.parametrize("content", [b"", b"not audio", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_a_clip_that_is_not_audio(dataset, content):
    (dataset.root / dataset.rows[1][0]).write_bytes(content)
    assert "bus-vienna-7-0-a.wav cannot be decoded" in complaint(dataset)


def test_a_clip_without_samples(dataset):
    dataset.add("none.wav", "bus", "oslo-1", samples=np.zeros(0))
    assert "none.wav holds no samples" in complaint(dataset)


def test_a_clip_that_was_cut_off_is_named_before_any_is_decoded(dataset):
    clip = dataset.root / dataset.rows[1][0]
    clip.write_bytes(clip.read_bytes()[:-1000])
    assert "bus-vienna-7-0-a.wav ends before its last sample" in complaint(dataset)


def test_an_absent_device(dataset):
    sentence = complaint(dataset, ["a", "s1"])
    assert "device 's1'" in sentence
    assert "choose from 'a'" in sentence


CLIMBING = ["../x.wav", "/etc/passwd", "audio/../../x", "audio//x.wav", "./x.wav", "C:\\x.wav", "audio/"]
HARMFUL = ["", ".x", "-x.wav", "a\0b.wav", "x<b>.wav", 'x".wav', "x&y.wav"]


@pytest.mark.parametrize("name", CLIMBING + HARMFUL)
def test_a_name_that_leaves_the_folder_or_could_do_harm(dataset, name):
    dataset.rows[1][0] = name
    dataset.save()
    assert "not a plain path" in complaint(dataset)


MARKED = ["हिन्दी", "ไทยน้ำ", "தமிழ்", "עִבְרִית", "e\u0301te\u0301"]  # Devanagari, Thai, Tamil, Hebrew with vowels, NFD


@pytest.mark.parametrize(
    "label", ["Straßenbahn", "metro_station", "bus 12", "地下鉄", "x", "a.b (c)", "C++", "NA", "nan", *MARKED]
)
def test_an_ordinary_label_is_welcome(dataset, label):
    for row in dataset.rows[:2]:
        row[1] = label
    dataset.save()
    assert unicodedata.normalize("NFC", label) in set(read_folder(dataset.root, ["a"])["scene"])
