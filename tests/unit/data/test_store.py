"""The store holds what the clips give, whoever computed it, and says so when it is damaged."""

import hashlib
import os
import signal
from multiprocessing import parent_process

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity.data import extraction
from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.clips import COLUMNS
from channel_sparsity.data.extraction import CLIPS_AT_ONCE, write_store
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.data.store import band_statistics, open_store
from channel_sparsity.files import StudyError, sha256

SECOND = LogMel(duration_s=1.0, n_mels=10)


def ignore(done):
    """A report that nobody reads."""


def killed(read, sources, settings):
    """What a worker does that the system ends for taking too much memory."""
    assert parent_process() is not None
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def recordings(dataset):
    """Four ordinary clips, and four in which every sample is the same: a long and a short one, zeros, one sample."""
    dataset.add("long.wav", "bus", "Århus-1", samples=np.full(50000, 0.1))
    dataset.add("short.flac", "bus", "Århus-1", samples=np.full((300, 2), 0.1))
    dataset.add("silent.wav", "park", "Århus-1", samples=np.zeros(8000), rate=8000)
    dataset.add("tick.wav", "park", "Århus-1", samples=np.ones(1))
    return dataset


def test_each_row_is_its_clips_features_and_the_table_lies_beside_it(recordings, tmp_path):
    clips = read_folder(recordings.root, ["a"])
    write_store(tmp_path / "logmel.h5", clips, recordings.read, SECOND, 1, ignore)
    written = open_store(tmp_path / "logmel.h5")
    assert written.clips.equals(clips)
    assert isinstance(written.logmel, np.memmap)
    assert written.logmel.dtype == np.float32
    for row, name in enumerate(clips["filename"]):
        waveform, *_ = read_clip(recordings.root / name, SECOND)
        assert (written.logmel[row] == SECOND(waveform)).all()


def test_counts_and_checksum(recordings, tmp_path):
    clips = read_folder(recordings.root, ["a"])
    counts, _ = write_store(tmp_path / "logmel.h5", clips, recordings.read, SECOND, 1, ignore)
    features = np.array(open_store(tmp_path / "logmel.h5").logmel)
    assert counts == {
        "clips": 8,
        "padded": 2,
        "cut": 1,
        "silent": 4,
        "clips_per_scene": {"bus": 4, "park": 4},
        "features_sha256": hashlib.sha256(features.tobytes()).hexdigest(),
    }


@pytest.mark.parametrize("logmel", [SECOND, LogMel(duration_s=0.5, n_mels=8, top_db=None, fmax_hz=8000.0)])
def test_h5py_alone_reads_it(recordings, tmp_path, logmel):
    clips = read_folder(recordings.root, ["a"])
    write_store(tmp_path / "logmel.h5", clips, recordings.read, logmel, 1, ignore)
    with h5py.File(tmp_path / "logmel.h5") as file:
        features = file["logmel"]
        assert features.shape == (8, logmel.n_mels, logmel.frames)
        assert features.dtype == "<f4"
        assert features.chunks is None
        assert features.external is None
        assert not features.is_virtual
        assert features.attrs["hop_length"] == 1102
        assert features.attrs["duration_s"] == logmel.duration_s
        assert isinstance(features.attrs["top_db"], h5py.Empty) == (logmel.top_db is None)
        assert features.attrs["unit"] == "dB"
        assert list(file["clips/identifier"].asstr()) == list(clips["identifier"])
        assert set(file["clips"]) == set(COLUMNS)


@pytest.fixture
def eager_workers(monkeypatch):
    """Start as many processes as are allowed, however few the clips."""
    monkeypatch.setattr(extraction, "AUDIO_FOR_ONE_S", 0.0)
    monkeypatch.setattr(extraction, "AUDIO_PER_WORKER_S", 0.01)


def test_the_bytes_are_the_same_each_time_and_for_any_number_of_workers(dataset, tmp_path, eager_workers):
    for number in range(2 * CLIPS_AT_ONCE + 3):
        dataset.add(f"{number:02}.wav", "bus", "oslo-1", samples=np.full(2000, number / 100))
    clips = read_folder(dataset.root, ["a"])
    reported, results = [], []
    for name, workers in (("one", 1), ("again", 1), ("two", 2)):
        reports = []
        counts, findings = write_store(tmp_path / name, clips, dataset.read, SECOND, workers, reports.append)
        results.append((counts, findings.to_csv()))
        reported.append(reports)
    assert results[0] == results[1] == results[2]
    assert sha256(tmp_path / "one") == sha256(tmp_path / "again") == sha256(tmp_path / "two")
    assert reported[0] == reported[2] == [16, 32, 39]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_clip_is_named_and_no_file_is_left(recordings, tmp_path, workers, eager_workers):
    recordings.add("bad.wav", "bus", "oslo-1", samples=np.full(44100, np.nan), subtype="FLOAT")
    clips = read_folder(recordings.root, ["a"])
    with pytest.raises(StudyError, match=r"bad\.wav holds samples that are NaN"):
        write_store(tmp_path / "made/logmel.h5", clips, recordings.read, SECOND, workers, ignore)
    assert list((tmp_path / "made").iterdir()) == []


def test_a_worker_that_was_killed_is_said(recordings, tmp_path, monkeypatch, eager_workers):
    monkeypatch.setattr(extraction, "_compute", killed)
    monkeypatch.setattr(extraction, "CLIPS_AT_ONCE", 4)
    clips = read_folder(recordings.root, ["a"])
    with pytest.raises(StudyError, match="was killed: give it more memory or fewer cores"):
        write_store(tmp_path / "logmel.h5", clips, recordings.read, SECOND, 2, ignore)


def test_a_full_disk_is_said_and_no_file_is_left(recordings, tmp_path, full_disk):
    clips = read_folder(recordings.root, ["a"])
    refused = pytest.raises(StudyError, match=r"logmel\.h5 cannot be written \(.*\): make room")
    with refused as raised, full_disk(8192):
        write_store(tmp_path / "made/logmel.h5", clips, recordings.read, SECOND, 1, ignore)
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "made").iterdir()) == []


def test_a_missing_store(tmp_path):
    with pytest.raises(StudyError, match=r"logmel\.h5 does not exist"):
        open_store(tmp_path / "logmel.h5")


@pytest.mark.parametrize("left", [0, 100, 2000, 0.5, -1])
def test_a_truncated_store_is_to_be_deleted(recordings, tmp_path, left):
    path = tmp_path / "logmel.h5"
    write_store(path, read_folder(recordings.root, ["a"]), recordings.read, SECOND, 1, ignore)
    size = path.stat().st_size
    os.truncate(path, size + left if left < 0 else int(size * left) if 0 < left < 1 else left)
    with pytest.raises(StudyError, match=r"logmel\.h5 is damaged or no log-mel store .*: delete it and run again"):
        open_store(path)


def test_another_hdf5_file_is_no_store(tmp_path):
    with h5py.File(tmp_path / "logmel.h5", "w") as file:
        file["logmel"] = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(StudyError, match="no log-mel store"):
        open_store(tmp_path / "logmel.h5")


def test_a_store_opens_while_another_reads_or_a_file_cannot_be_locked(recordings, tmp_path):
    path = tmp_path / "logmel.h5"
    write_store(path, read_folder(recordings.root, ["a"]), recordings.read, SECOND, 1, ignore)
    path.chmod(0o444)
    with h5py.File(path, "r", locking=False):
        first, second = open_store(path), open_store(path)
    assert (first.logmel == second.logmel).all()


@settings(max_examples=30, deadline=None)
@given(
    clips=st.integers(1, 600),
    level=st.floats(-100, 30),
    spread=st.floats(1e-3, 30),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_band_statistics_are_those_of_the_rows_alone(clips, level, spread, seed, data):
    features = np.random.default_rng(seed).normal(level, spread, (clips, 3, 5)).astype(np.float32)
    rows = data.draw(st.permutations(range(clips)).map(lambda order: order[: max(1, clips // 2)]))
    mean, deviation = band_statistics(features, rows)
    chosen = features[np.array(rows)].astype(np.float64)
    assert mean.dtype == deviation.dtype == np.float64
    np.testing.assert_allclose(mean, chosen.mean(axis=(0, 2)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(deviation, chosen.std(axis=(0, 2)), rtol=1e-6)


def test_other_rows_are_not_looked_at():
    features = np.full((4, 2, 3), np.nan, np.float32)
    features[[1, 3]] = [[[1, 2, 3], [0, 0, 3]]]
    mean, deviation = band_statistics(features, [3, 1])
    np.testing.assert_allclose(mean, [2, 1])
    np.testing.assert_allclose(deviation, [np.sqrt(2 / 3), np.sqrt(2)])


@pytest.mark.parametrize("value", [-100.00001, 0, 1 / 3])
def test_a_constant_band_has_a_deviation_of_one(value):
    features = np.random.default_rng(0).normal(size=(700, 2, 50)).astype(np.float32)
    features[:, 1] = value
    mean, deviation = band_statistics(features, np.arange(700))
    assert deviation[1] == 1
    assert mean[1] == np.float32(value)
    assert deviation[0] == pytest.approx(1, abs=0.05)
