"""Archives are read in place, and what is wrong with one is said with its name and the member's."""

import stat
import struct
import zipfile

import pytest

from channel_sparsity.data import archives
from channel_sparsity.data.archives import contents, find, read_archived_clip, read_bytes
from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError

SECOND = LogMel(duration_s=1.0)


def complaint(act, *arguments):
    """The sentence that a call ends with."""
    with pytest.raises(StudyError) as raised:
        act(*arguments)
    sentence = str(raised.value)
    assert "\n" not in sentence and ": " in sentence
    return sentence


@pytest.mark.parametrize("top", ["", "TAU-2020/", "a b/"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_are_found_below_the_folder_that_holds_them_all(zipped, top, compression):
    files = {"audio/x.wav": b"x" * 1000, "audio/y.wav": b"", "meta.csv": b"meta"}
    path = zipped("x.zip", [(f"{top}audio/", b""), *((top + name, data) for name, data in files.items())], compression)
    assert {name: read_bytes(member) for name, member in contents(path).items()} == files
    assert read_bytes(find(path, "meta.csv")) == b"meta"


def test_a_folder_called_audio_is_no_such_folder(zipped):
    assert list(contents(zipped("x.zip", [("audio/x.wav", b""), ("audio/y.wav", b"")]))) == [
        "audio/x.wav",
        "audio/y.wav",
    ]


def test_hidden_files_of_other_systems_are_overlooked(zipped):
    members = [("T/audio/x.wav", b""), ("T/.DS_Store", b""), ("__MACOSX/T/audio/._x.wav", b"")]
    assert list(contents(zipped("x.zip", members))) == ["audio/x.wav"]


def test_an_archive_may_be_empty(zipped):
    assert contents(zipped("x.zip", [])) == {}


@pytest.mark.parametrize("name", ["../x.wav", "T/../../x.wav", "/etc/x.wav", "T/audio/..", "T\\..\\x.wav", "C:/x.wav"])
def test_a_member_that_leads_out_of_its_folder_is_refused_by_name(zipped, name):
    sentence = complaint(contents, zipped("x.zip", [("T/audio/a.wav", b""), (name, b"")]))
    assert "x.zip has a member that leads out of its folder, " in sentence and repr(name) in sentence


@pytest.mark.parametrize("name", ["T/a\nb.wav", "T/\x1b[2J.wav", "T/\N{RIGHT-TO-LEFT OVERRIDE}vaw.x"])
def test_a_member_whose_name_could_act_on_a_terminal_is_refused(zipped, name):
    sentence = complaint(contents, zipped("x.zip", [(name, b"")]))
    assert "whose name is no plain text" in sentence and sentence.isprintable()


def test_a_link_in_an_archive_is_its_text_and_is_not_followed(zipped, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    link = zipfile.ZipInfo("T/audio/x.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped("x.zip", [(link, str(tmp_path / "secret").encode())])
    assert read_bytes(find(path, "audio/x.wav")) == str(tmp_path / "secret").encode()


@pytest.mark.parametrize("second", ["T/audio/x.wav", "T//audio/x.wav", "T/./audio/x.wav"])
def test_a_member_that_is_there_twice_is_named(zipped, second):
    path = zipped("x.zip", [("T/audio/x.wav", b"1"), (second, b"2")])
    assert "x.zip holds audio/x.wav twice" in complaint(contents, path)


def test_a_file_that_is_not_there_is_named(zipped):
    assert "x.zip does not hold meta.csv: " in complaint(find, zipped("x.zip", [("T/audio/x.wav", b"1")]), "meta.csv")


def test_an_encrypted_member_is_named(zipped):
    path = zipped("x.zip", [("T/audio/x.wav", b"1")])
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + place] |= 1
    path.write_bytes(content)
    assert complaint(contents, path).startswith(f"audio/x.wav in {path} is encrypted: ")


def test_a_member_that_would_fill_the_memory_is_named(zipped, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_MEMBER", 999)
    path = zipped("x.zip", [("T/audio/x.wav", bytes(1000))])
    assert complaint(contents, path).startswith(f"audio/x.wav in {path} has 1000 bytes, more than a clip may")


def test_a_member_never_gives_more_than_it_promises(zipped, monkeypatch):
    """A bomb whose list of members understates its size."""
    path = zipped("x.zip", [("T/audio/x.wav", bytes(10_000_000))])
    content = path.read_bytes()
    place = content.index(b"PK\1\2") + 24
    path.write_bytes(content[:place] + struct.pack("<I", 1000) + content[place + 4 :])
    assert f"audio/x.wav in {path} cannot be read (Bad CRC-32" in complaint(read_bytes, find(path, "audio/x.wav"))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_with_a_wrong_checksum_is_named(zipped, compression):
    path = zipped("x.zip", [("T/audio/x.wav", bytes(range(256)) * 40)], compression)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert complaint(read_bytes, find(path, "audio/x.wav")).startswith(f"audio/x.wav in {path} cannot be read (")


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: b"<html>", lambda whole: whole[:-30], lambda whole: whole[50:]]
)
def test_what_is_no_whole_archive_is_named(zipped, damage):
    path = zipped("x.zip", [("T/audio/x.wav", bytes(1000))])
    path.write_bytes(damage(path.read_bytes()))
    try:
        sentence = complaint(lambda: read_bytes(find(path, "audio/x.wav")))
    finally:
        archives._opened.cache_clear()
    assert str(path) in sentence


def test_a_missing_archive_is_named(tmp_path):
    assert (
        complaint(contents, tmp_path / "x.zip")
        == f"{tmp_path}/x.zip is missing, perhaps since another run is done with it: run again"
    )


def test_a_clip_in_an_archive_is_the_clip_in_its_file(dataset, zipped, tmp_path):
    names = [row[0] for row in dataset.rows]
    path = zipped("x.zip", [(f"T/{name}", (dataset.root / name).read_bytes()) for name in names])
    for name in names:
        archived = read_archived_clip(find(path, name), SECOND, tmp_path / "kept")
        filed = read_clip(dataset.root / name, SECOND)
        assert (archived.waveform == filed.waveform).all() and archived[1:] == filed[1:]
        assert (tmp_path / "kept" / name).read_bytes() == (dataset.root / name).read_bytes()


def test_a_member_that_is_no_sound_is_named(zipped):
    path = zipped("x.zip", [("T/audio/x.wav", b"not a sound")])
    sentence = complaint(read_archived_clip, find(path, "audio/x.wav"), SECOND)
    assert sentence.startswith(f"audio/x.wav in {path} cannot be decoded (")
