"""The front end inside model files against the study's own log-mel spectrogram."""

import numpy as np
import onnx
import pytest

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.frontend import TOLERANCE_DB, frontend
from channel_sparsity.deployment.running import outputs

SETTINGS = {
    "the paper's": LogMel(duration_s=0.5),
    "the demo's": LogMel(win_length=3528, hop_length=3528, n_fft=4096, duration_s=1.0),
    "odd, not a power of two": LogMel(n_fft=1765, win_length=1764, duration_s=0.3),
    "16 kHz, part of the band, all levels": LogMel(16000, 512, 400, 160, 24, 50.0, 7000.0, None, 0.4),
}


def recordings(samples):
    """A tone in noise, silence, a click, noise under a loud start, and full scale noise."""
    draw = np.random.default_rng(3)
    time = np.arange(samples)
    tone = 0.5 * np.sin(0.1 * time) + 1e-4 * draw.normal(size=samples)
    click = np.zeros(samples)
    click[samples // 3] = 1
    fading = draw.normal(size=samples) * np.where(time < samples // 4, 0.3, 1e-6)
    return np.stack([tone, np.zeros(samples), click, fading, draw.uniform(-1, 1, samples)]).astype(np.float32)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_front_end_gives_the_features_of_the_study(settings):
    model = frontend(settings, np.zeros(settings.n_mels), np.ones(settings.n_mels))
    onnx.checker.check_model(model, full_check=True)
    waveforms = recordings(settings.samples)
    features = outputs(model, [waveforms])
    assert features.shape == (len(waveforms), 1, settings.n_mels, settings.frames) and features.dtype == np.float32
    expected = np.stack([settings(waveform) for waveform in waveforms])
    np.testing.assert_allclose(features[:, 0], expected, rtol=0, atol=TOLERANCE_DB)


def test_features_are_normalised_band_by_band():
    settings = SETTINGS["the paper's"]
    mean, deviation = np.linspace(-60, -20, 40), np.linspace(2, 12, 40)
    waveforms = recordings(settings.samples)[:1]
    features = outputs(frontend(settings, mean, deviation), [waveforms])[0, 0]
    np.testing.assert_allclose(
        features, (settings(waveforms[0]) - mean[:, None]) / deviation[:, None], rtol=0, atol=TOLERANCE_DB / 2
    )


def test_a_file_holds_no_table_of_the_front_end():
    model = frontend(SETTINGS["the paper's"], np.zeros(40), np.ones(40))
    assert len(model.SerializeToString()) < 5000
