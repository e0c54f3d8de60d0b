"""What is handed on stays in its folder, is what its jobs wrote, and is of this code."""

import json
import os
import stat
import zipfile

import pytest

from channel_sparsity.bookkeeping import handover
from channel_sparsity.bookkeeping.checksums import record
from channel_sparsity.bookkeeping.handover import check, place, same_time, unpack
from channel_sparsity.files import StudyError


def zipped(path, members):
    """A zip archive of some members: (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("top", ["demo/", "results/demo/"])
def test_a_study_is_unpacked_without_hidden_files(tmp_path, top):
    members = [(f"{top}", b""), (f"{top}tables/cells.csv", b"a"), (f"{top}.DS_Store", b""), ("__MACOSX/x.csv", b"")]
    folder = unpack(zipped(tmp_path / "x.zip", members), tmp_path / "results")
    assert folder == tmp_path / "results/demo"
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")] == ["tables/cells.csv"]
    assert os.listdir(tmp_path / "results") == ["demo"]
    with pytest.raises(StudyError, match="is there already"):
        unpack(tmp_path / "x.zip", tmp_path / "results")


def special(kind):
    """A member of a kind that is no file."""
    info = zipfile.ZipInfo("demo/link.csv")
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../outside.csv", "leads out"),
        ("demo/../../outside.csv", "leads out"),
        ("/etc/outside.csv", "leads out"),
        ("results/../outside.csv", "leads out"),
        ("demo\\..\\outside.csv", "leads out"),
        ("C:/outside.csv", "leads out"),
        (special(stat.S_IFLNK), "is a link or a device"),
        (special(stat.S_IFCHR), "is a link or a device"),
        (special(stat.S_IFIFO), "is a link or a device"),
        ("demo/A.csv", "is there twice"),
        ("results/demo/a.csv", "is there twice"),
        ("demo/weights.pkl", "no study has"),
        ("demo/run.py", "no study has"),
        ("demo/-rf.csv", "no study has"),
        ("demo/$(touch x).csv", "no study has"),
        ("demo/{wildcard}.csv", "no study has"),
        ("demo/a\nb.csv", "no study has"),
        ("demo/\N{RIGHT-TO-LEFT OVERRIDE}vsc.csv", "no study has"),
        ("top.csv", "is not in a study's folder"),
        ("-x/a.csv", "is not in a study's folder"),
    ],
)
def test_what_could_do_harm_is_refused_by_name(tmp_path, name, problem):
    path = zipped(tmp_path / "x.zip", [("demo/a.csv", b"1"), (name, b"/etc/passwd")])
    with pytest.raises(StudyError, match=problem) as raised:
        unpack(path, tmp_path / "deep/results")
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)
    assert not [found for found in tmp_path.rglob("*") if found.is_file() and found != path]


def test_two_studies_no_study_and_no_archive(tmp_path):
    for members in ([("demo/a.csv", b""), ("other/a.csv", b"")], []):
        with pytest.raises(StudyError, match=r"does not hold one study"):
            unpack(zipped(tmp_path / "x.zip", members), tmp_path / "results")
    (tmp_path / "x.zip").write_bytes(b"<html>")
    with pytest.raises(StudyError, match=r"x.zip cannot be unpacked"):
        unpack(tmp_path / "x.zip", tmp_path / "results")


def test_a_damaged_member_leaves_nothing(tmp_path):
    path = zipped(tmp_path / "x.zip", [("demo/a.csv", bytes(range(256)) * 40), ("demo/b.csv", b"")])
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"x.zip cannot be unpacked"):
        unpack(path, tmp_path / "results")
    assert os.listdir(tmp_path / "results") == []


def test_a_bomb_does_not_fit(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 99_999})
    monkeypatch.setattr(handover.shutil, "disk_usage", lambda path: usage)
    path = zipped(tmp_path / "x.zip", [("demo/a.csv", bytes(100_000))])
    with pytest.raises(StudyError, match=r"unpacks to 100000 bytes, but .* has 99999 free"):
        unpack(path, tmp_path / "results")


def hand(folder, configuration):
    """Write the record of a study."""
    content = {"configuration": configuration, "code": {"train_network": "abc"}}
    (folder / "provenance.json").write_text(json.dumps(content))


@pytest.fixture
def handed(tmp_path):
    """A study as it is handed on."""
    folder = tmp_path / "results/demo"
    (folder / "dataset").mkdir(parents=True)
    hand(folder, {"study": "demo", "dataset": "demo", "datasets": {"demo": {"source": "folder"}}})
    (folder / "run.json").write_text(json.dumps({"git": {"commit": "1234"}}))
    (folder / "dataset/clips.csv").write_text("filename\n")
    (folder / "dataset/manifest.json").write_text("{}")
    record([folder / name for name in ("provenance.json", "dataset/clips.csv", "dataset/manifest.json")], "job")
    return folder


def test_a_study_of_this_code_is_adopted(handed):
    assert check(handed, lambda _: {"train_network": "abc", "another_source": "def"})["study"] == "demo"


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ({"study": "demo", "dataset": "../../outside"}, "of the data set '../../outside': do not use it"),
        ({"study": "other", "dataset": "demo"}, "holds the study 'other'"),
        ({"study": "demo", "dataset": ["demo"]}, "do not use it"),
        ({"study": "demo"}, "are no record of a study"),
        ("demo", "are no record of a study"),
    ],
)
def test_a_record_that_would_lead_elsewhere_is_refused(handed, configuration, problem):
    hand(handed, configuration)
    record([handed / "provenance.json"], "again")
    with pytest.raises(StudyError, match=problem):
        check(handed, lambda _: {})


def test_a_link_is_refused(handed, tmp_path):
    (handed / "tables").symlink_to(tmp_path)
    with pytest.raises(StudyError, match=r"tables is a link"):
        check(handed, lambda _: {})


def test_a_study_of_other_code_is_refused_with_its_commit(handed):
    with pytest.raises(StudyError, match=r"made by other code of train_network .*: check out commit 1234"):
        check(handed, lambda _: {"train_network": "abd"})


def test_a_study_of_a_network_that_is_not_here_is_refused_with_its_commit(handed):
    def code_for(configuration):
        assert configuration["study"] == "demo"
        raise StudyError("there is no network cnn4")

    with pytest.raises(
        StudyError, match=r"has what this tree has not \(there is no network cnn4\): check out commit 1234"
    ):
        check(handed, code_for)


@pytest.mark.parametrize("name", ["weights.safetensors", "steps/01.safetensors"])
def test_a_file_without_a_checksum_is_refused(handed, name):
    (handed / name).parent.mkdir(exist_ok=True)
    (handed / name).write_bytes(b"")
    with pytest.raises(StudyError, match=rf"{name} has no checksum"):
        check(handed, lambda _: {})


def test_a_changed_file_is_refused(handed):
    (handed / "dataset/clips.csv").write_text("filename\nx\n")
    with pytest.raises(StudyError, match=r"clips.csv is not as it was written"):
        check(handed, lambda _: {})


@pytest.mark.parametrize("name", ["provenance.json", "run.json", "dataset/clips.csv", "dataset/manifest.json"])
def test_an_unfinished_study_is_refused(handed, name):
    (handed / name).unlink()
    for record_of_it in handed.rglob("*.sha256"):
        record_of_it.unlink()
    with pytest.raises(StudyError, match=rf"{name} is missing: hand on a study that is finished"):
        check(handed, lambda _: {})


def test_data_that_are_there_stay_and_must_be_the_same(handed, tmp_path):
    data = tmp_path / "data/demo"
    place(handed, data)
    assert sorted(os.listdir(data)) == ["clips.csv", "manifest.json"]
    place(handed, data)
    (data / "manifest.json").write_text('{"clips": 1}')
    with pytest.raises(StudyError, match=r"manifest.json is of other data than"):
        place(handed, data)


def test_nothing_is_older_than_what_it_was_made_from(handed):
    os.utime(handed / "provenance.json", (1, 1))
    same_time([handed])
    assert len({path.stat().st_mtime_ns for path in handed.rglob("*")}) == 1
