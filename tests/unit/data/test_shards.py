"""Shards become the store of the folder that the archives were made from, and what is missing or twice is named."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel_sparsity.data import extraction, shards
from channel_sparsity.data.archives import contents
from channel_sparsity.data.clips import write_clips
from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.meta import read_meta, recorded_by
from channel_sparsity.data.shards import archived_clips, merge_shards, write_shard
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.files import StudyError, sha256

SHORT = LogMel(duration_s=0.2, n_mels=10)


def ignore(done):
    """A report that nobody reads."""


@pytest.fixture
def recordings(dataset):
    """Ten clips of device a, of many lengths, one silent, and four of device b."""
    for number in range(5):
        dataset.add(f"bus-oslo-3-{number}-a.wav", "bus", "oslo-3", samples=np.full(2000 * (number + 2), 0.1 * number))
    dataset.add("park-oslo-4-0-a.wav", "park", "oslo-4", samples=np.full((900, 2), 0.1), rate=8000)
    for number in range(2):
        for scene in ("bus", "park"):
            dataset.add(f"{scene}-oslo-4-{number}-b.wav", scene, "oslo-4", "b")
    return dataset


class Archived:
    """The clips of a folder in archives, and what becomes of them."""

    def __init__(self, dataset, zipped, folder):
        self.dataset, self.zipped, self.folder = dataset, zipped, folder
        self.rows = read_meta(dataset.root / "meta.csv")

    def archive(self, name, filenames):
        return self.zipped(name, [(f"T/{each}", (self.dataset.root / each).read_bytes()) for each in filenames])

    def shard(self, archive, devices=("a",), workers=1, keep=None):
        files = self.folder / f"{archive.name}.npy", self.folder / f"{archive.name}.csv"
        write_shard(*files, archived_clips(archive, self.rows, devices), SHORT, workers, keep, ignore)
        return files

    def merge(self, made, devices=("a",)):
        """Merge shards, by archive; returns the digests of the store and of its table, the counts and the findings."""
        rows = recorded_by(devices, self.rows, "meta.csv")
        clips, counts, findings = merge_shards(self.folder / "logmel.h5", made, rows, SHORT, ignore)
        write_clips(self.folder / "clips.csv", clips)
        return sha256(self.folder / "logmel.h5"), sha256(self.folder / "clips.csv"), counts, findings.to_csv()

    def unpacked(self, devices=("a",)):
        """The same of the folder itself."""
        clips = read_folder(self.dataset.root, devices)
        counts, findings = write_store(self.folder / "folder.h5", clips, self.dataset.read, SHORT, 1, ignore)
        write_clips(self.folder / "folder.csv", clips)
        return sha256(self.folder / "folder.h5"), sha256(self.folder / "folder.csv"), counts, findings.to_csv()


@pytest.fixture
def archived(recordings, zipped, tmp_path):
    return Archived(recordings, zipped, tmp_path)


@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_store_is_the_folders_wherever_the_archives_end(archived, data):
    archives = {}
    for row in archived.rows:
        archives.setdefault(data.draw(st.integers(0, 3)), []).append(row.filename)
    made = {}
    for number, names in archives.items():
        archive = archived.archive(f"{data.draw(st.uuids())}-{number}.zip", names)
        made[archive.name] = archived.shard(archive)
    assert archived.merge(made) == archived.unpacked()


@pytest.mark.parametrize("devices", [("b",), ("a", "b")])
def test_other_devices_are_chosen_by_name(archived, devices):
    names = [row.filename for row in archived.rows]
    one, other = archived.archive("one.zip", names[::2]), archived.archive("other.zip", names[1::2])
    made = {archive.name: archived.shard(archive, devices) for archive in (one, other)}
    assert archived.merge(made, devices) == archived.unpacked(devices)


def test_an_archive_without_a_chosen_clip_is_an_empty_shard(archived):
    names = [row.filename for row in archived.rows]
    none = archived.archive("none.zip", [name for name in names if name.endswith("-b.wav")])
    all_of_them = archived.archive("all.zip", [name for name in names if name.endswith("-a.wav")])
    made = {archive.name: archived.shard(archive) for archive in (none, all_of_them)}
    assert np.load(made["none.zip"][0]).shape == (0, 10, SHORT.frames)
    assert archived.merge(made) == archived.unpacked()


def test_any_number_of_processes_gives_the_same_shard_and_keeps_the_audio(archived, monkeypatch):
    monkeypatch.setattr(extraction, "AUDIO_FOR_ONE_S", 0.0)
    monkeypatch.setattr(extraction, "AUDIO_PER_WORKER_S", 0.01)
    monkeypatch.setattr(extraction, "CLIPS_AT_ONCE", 3)
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    one = [path.read_bytes() for path in archived.shard(archive)]
    two = [path.read_bytes() for path in archived.shard(archive, workers=2, keep=archived.folder / "kept")]
    assert one == two
    kept = sorted(path.name for path in (archived.folder / "kept/audio").iterdir())
    assert kept == [os.path.basename(row.filename) for row in sorted(archived.rows) if row.device == "a"]


def test_clips_that_no_archive_holds_are_counted_and_named(archived):
    names = [row.filename for row in archived.rows]
    made = {"x.zip": archived.shard(archived.archive("x.zip", [n for n in names if "oslo" not in n]))}
    with pytest.raises(StudyError) as raised:
        archived.merge(made, ("a", "b"))
    assert str(raised.value) == (
        "10 of 14 clips are in none of the archives "
        "(5 of bus by device a, 2 of bus by device b, 1 of park by device a, 2 of park by device b; "
        "first audio/bus-oslo-3-0-a.wav, audio/bus-oslo-3-1-a.wav, audio/bus-oslo-3-2-a.wav; archives: x.zip): "
        "list all archives of the record under `record.audio`"
    )
    assert not list(archived.folder.glob("*logmel*"))


def test_a_clip_in_two_archives_is_named_with_both(archived):
    names = [row.filename for row in archived.rows]
    archives = archived.archive("x.zip", names), archived.archive("y.zip", names[3:4])
    with pytest.raises(StudyError, match=rf"^{names[3]} is in more than one archive \(x\.zip, y\.zip\): "):
        archived.merge({archive.name: archived.shard(archive) for archive in archives})


def test_a_recording_that_the_table_does_not_list_is_named(archived, zipped):
    archive = zipped("x.zip", [("T/audio/stray.wav", b""), ("T/readme.txt", b"")])
    with pytest.raises(StudyError, match=r"x\.zip holds 'audio/stray\.wav', of which meta\.csv says nothing: "):
        archived_clips(archive, archived.rows, ["a"])
    assert "readme.txt" in contents(archive)


def test_a_bad_clip_is_named_with_its_archive_and_no_shard_is_left(archived, zipped):
    archive = zipped("x.zip", [("T/audio/bus-lisbon-7-0-a.wav", b"no sound")])
    with pytest.raises(StudyError, match=r"^audio/bus-lisbon-7-0-a\.wav in .*x\.zip cannot be decoded \("):
        archived.shard(archive)
    assert not list(archived.folder.glob("*.npy")) and not list(archived.folder.glob(".*"))


@pytest.mark.parametrize("limit", [100, 3000])
def test_a_full_disk_is_said_and_no_shard_is_left(archived, full_disk, limit):
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    with pytest.raises(StudyError, match=r"x\.zip\.npy cannot be written \(.*\): make room"), full_disk(limit):
        archived.shard(archive)
    assert not list(archived.folder.glob("*.npy")) and not list(archived.folder.glob(".*"))


def test_a_damaged_shard_is_to_be_deleted(archived):
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    features, table = archived.shard(archive)
    whole = features.read_bytes()
    features.write_bytes(whole[:-1])
    with pytest.raises(StudyError, match=r"x\.zip\.npy ends too early: delete it and run again"):
        archived.merge({"x.zip": (features, table)})
    features.write_bytes(whole)
    table.write_text("filename\nx\n")
    with pytest.raises(StudyError, match=r"x\.zip\.csv is no table of a shard .*: delete it and run again"):
        archived.merge({"x.zip": (features, table)})


def test_leftovers_of_a_killed_process_go(archived):
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    for name in (".x.zip.abcd1234.npy", ".logmel.abcd1234.h5"):
        (archived.folder / name).write_bytes(bytes(1000))
    (archived.folder / ".other.abcd1234.npy").touch()
    archived.merge({"x.zip": archived.shard(archive)})
    assert [path.name for path in archived.folder.glob(".*")] == [".other.abcd1234.npy"]


def test_shards_of_other_settings_are_refused(archived, monkeypatch):
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    made = archived.shard(archive)
    monkeypatch.setattr("test_shards.SHORT", LogMel(duration_s=0.2, n_mels=11))
    with pytest.raises(StudyError, match=r"x\.zip\.npy holds other features than these settings give"):
        archived.merge({"x.zip": made})


def test_the_bytes_do_not_depend_on_how_many_clips_are_merged_at_once(archived, monkeypatch):
    monkeypatch.setattr(shards, "CLIPS_AT_ONCE", 2)
    archive = archived.archive("x.zip", [row.filename for row in archived.rows])
    assert archived.merge({"x.zip": archived.shard(archive)}) == archived.unpacked()
