"""The log-mel spectrogram against librosa's."""

import warnings

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity.data.logmel import LogMel, mel_filters
from channel_sparsity.data.mel import empty_bands
from channel_sparsity.files import StudyError

TOLERANCE_DB = 1e-3


def reference(logmel, waveform):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large")
        power = librosa.feature.melspectrogram(
            y=waveform,
            sr=logmel.sample_rate_hz,
            n_fft=logmel.n_fft,
            win_length=logmel.win_length,
            hop_length=logmel.hop_length,
            n_mels=logmel.n_mels,
            fmin=logmel.fmin_hz,
            fmax=logmel.fmax_hz,
        )
    return librosa.power_to_db(power, top_db=logmel.top_db)


def assert_equal_to_librosa(logmel, waveform):
    waveform = np.asarray(waveform, np.float32)
    ours = logmel(waveform)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, reference(logmel, waveform), rtol=0, atol=TOLERANCE_DB)


def noise(samples, seed=0):
    return np.random.default_rng(seed).standard_normal(samples)


def tone(samples, frequency_hz, rate=44100):
    return np.sin(2 * np.pi * frequency_hz * np.arange(samples) / rate)


def impulse(samples, place):
    return np.eye(1, samples, place)[0]


SECONDS = 44100 * 2
SIGNALS = {
    "noise": 0.1 * noise(SECONDS),
    "quiet noise": 1e-4 * noise(SECONDS),
    "noise below the floor": 1e-7 * noise(SECONDS),
    "steep noise": 1e-3 * np.cumsum(noise(SECONDS)),
    "full scale": np.sign(tone(SECONDS, 100)),
    "clipped noise": np.clip(noise(SECONDS), -1, 1),
    "constant": np.ones(SECONDS),
    "constant in faint noise": 0.5 + 1e-5 * noise(SECONDS),
    "first sample": impulse(SECONDS, 0),
    "middle sample": impulse(SECONDS, SECONDS // 2),
    "last sample": impulse(SECONDS, SECONDS - 1),
    "silence": np.zeros(SECONDS),
    "loud, then silent": np.where(np.arange(SECONDS) < SECONDS // 2, noise(SECONDS), 0),
    **{f"{frequency} Hz": tone(SECONDS, frequency) for frequency in (30, 1000, 1234.5, 22000)},
    "22 kHz in faint noise": tone(SECONDS, 22000) + 1e-4 * noise(SECONDS),
}


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("top_db", [80.0, None])
def test_librosa_agrees(signal, top_db):
    assert_equal_to_librosa(LogMel(top_db=top_db), SIGNALS[signal])


@pytest.mark.parametrize(
    "logmel",
    [
        LogMel(n_fft=1764),
        LogMel(n_fft=1765, win_length=1001, hop_length=441),
        LogMel(hop_length=1103),
        LogMel(n_mels=128, n_fft=4096, win_length=4096),
        LogMel(sample_rate_hz=16000, n_fft=512, win_length=400, hop_length=160, n_mels=64, fmax_hz=7000.0),
        LogMel(sample_rate_hz=22050, n_mels=64, fmin_hz=50.0, top_db=40.0),
        LogMel(sample_rate_hz=8000, n_fft=256, win_length=256, hop_length=1000, n_mels=10),
    ],
)
@pytest.mark.parametrize("signal", ["noise", "1234.5 Hz", "22 kHz in faint noise"])
def test_librosa_agrees_for_other_settings(logmel, signal):
    assert_equal_to_librosa(logmel, SIGNALS[signal])


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 9000),
    level_db=st.floats(-120, 0),
    frequency_hz=st.floats(1, 22049),
    tone_share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_librosa_agrees_for_any_mixture(samples, level_db, frequency_hz, tone_share, seed):
    mixture = tone_share * tone(samples, frequency_hz) + (1 - tone_share) * noise(samples, seed)
    assert_equal_to_librosa(LogMel(), 10 ** (level_db / 20) * mixture)


@pytest.mark.parametrize("samples", [1, 2, 1101, 1102, 1103, 2048, 44100])
@pytest.mark.parametrize("level", [0, 1e-30, 1.0, -1.0, 1e12])
def test_any_length_and_level_is_finite(samples, level):
    features = LogMel()(np.full(samples, level, np.float32))
    assert features.shape == (40, 1 + samples // 1102)
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    "logmel",
    [
        LogMel(),
        LogMel(n_mels=128, n_fft=4096, win_length=4096),
        LogMel(sample_rate_hz=16000, n_fft=512, win_length=400, hop_length=160, n_mels=64, fmax_hz=7000.0),
        LogMel(sample_rate_hz=22050, n_mels=64, fmin_hz=50.0),
        LogMel(sample_rate_hz=48000, n_mels=5, fmin_hz=2000.0, fmax_hz=3000.0),
        LogMel(n_mels=3, fmin_hz=100.0, fmax_hz=900.0),
    ],
)
def test_the_filters_and_their_corners_are_librosas(logmel):
    theirs = librosa.filters.mel(
        sr=logmel.sample_rate_hz, n_fft=logmel.n_fft, n_mels=logmel.n_mels, fmin=logmel.fmin_hz, fmax=logmel.fmax_hz
    )
    np.testing.assert_allclose(mel_filters(logmel), theirs, rtol=1e-5, atol=1e-9)
    highest = logmel.fmax_hz or logmel.sample_rate_hz / 2
    corners = librosa.mel_frequencies(logmel.n_mels + 2, fmin=logmel.fmin_hz, fmax=highest)
    np.testing.assert_allclose(logmel.mel_corners, [corners[:-2], corners[1:-1], corners[2:]], rtol=1e-13)


@pytest.mark.parametrize(
    ("lowest_hz", "highest_hz"), [(0, 100), *((low, high) for low in (0, 500) for high in (600, 1500, 4000, 22050))]
)
@pytest.mark.parametrize(("bands", "fft_samples"), [(40, 2048), (128, 512), (3, 64)])
def test_the_bands_that_are_always_empty_are_those_without_a_weight(lowest_hz, highest_hz, bands, fft_samples):
    features = {"sample_rate_hz": 44100, "fft_samples": fft_samples, "bands": bands}
    logmel = LogMel(n_fft=fft_samples, win_length=fft_samples, n_mels=bands, fmin_hz=lowest_hz, fmax_hz=highest_hz)
    without = (mel_filters(logmel) == 0).all(axis=1).sum()
    assert empty_bands(features | {"lowest_hz": lowest_hz, "highest_hz": highest_hz}) == without


def test_silence_is_the_quietest_power():
    np.testing.assert_allclose(LogMel()(np.zeros(44100, np.float32)), -100, rtol=1e-6)


@given(st.integers(1, 30000), st.integers(1, 2000), st.integers(2, 700))
@settings(max_examples=30, deadline=None)
def test_the_frames_are_foretold(samples, hop_length, n_fft):
    logmel = LogMel(
        duration_s=samples / 44100,
        hop_length=hop_length,
        n_fft=n_fft,
        win_length=n_fft,
        n_mels=1,
        fmin_hz=9000.0,
    )
    assert logmel.samples == samples
    assert logmel(np.zeros(samples, np.float32)).shape == (1, logmel.frames)


def test_the_papers_clip_has_40_bands_and_401_frames():
    assert (LogMel().n_mels, LogMel().frames, LogMel(hop_length=1103).frames) == (40, 401, 400)


def test_a_clip_has_the_same_bits_each_time_and_wherever_its_samples_lie():
    logmel, samples = LogMel(), SIGNALS["noise"].astype(np.float32)
    spaced = np.zeros((len(samples), 3), np.float32)
    spaced[:, 1] = samples
    assert logmel(samples).tobytes() == logmel(samples).tobytes() == logmel(spaced[:, 1]).tobytes()


def test_ordinary_sound_needs_no_double_precision(monkeypatch):
    """Sound whose spectrum falls with frequency, or ends as that of compressed sound, is done in single."""
    doubled = []
    band_power = LogMel._band_power

    def watched(self, frames, dtype):
        if dtype is np.float64:
            doubled.append(len(frames))
        return band_power(self, frames, dtype)

    monkeypatch.setattr(LogMel, "_band_power", watched)
    for signal in ("noise", "steep noise", "full scale", "clipped noise", "silence"):
        LogMel()(SIGNALS[signal])
    spectrum = np.fft.rfft(SIGNALS["noise"])
    LogMel()(np.fft.irfft(np.where(np.arange(len(spectrum)) < len(spectrum) * 16 / 22, spectrum, 0)))
    assert not doubled
    LogMel()(SIGNALS["22 kHz in faint noise"])
    assert doubled


def test_a_window_longer_than_the_transform_is_refused():
    with pytest.raises(StudyError, match=r"win_length 1764 is longer than n_fft 1024: raise n_fft"):
        LogMel(n_fft=1024)


def test_a_clip_without_samples_is_refused():
    with pytest.raises(StudyError, match="duration_s"):
        LogMel(duration_s=1e-6)
