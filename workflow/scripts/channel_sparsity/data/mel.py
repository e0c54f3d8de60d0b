"""Where the bands of a log-mel spectrogram lie: Slaney's mel scale.

Apart from `logmel`, whose libraries take long to import, since the configuration is checked by it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


# `librosa.filters.mel` and `mel_frequencies` take 2.5 s to import and differ from these in the last bits, which would
# change every number of the study. So they are what the tests compare with.
def mel_corners(bands: int, lowest_hz: float, highest_hz: float) -> np.ndarray:
    """The lower corner, the peak and the upper corner of each mel filter, in Hz, float64 [3, bands]."""
    corners = _hz(np.linspace(_mel(lowest_hz), _mel(highest_hz), bands + 2))
    return sliding_window_view(corners, bands)


def empty_bands(features: Mapping) -> int:
    """How many bands of a data set's `features` no bin of the FFT falls into: they are the same for every clip."""
    bins = np.fft.rfftfreq(features["fft_samples"], 1 / features["sample_rate_hz"])
    low, _, high = mel_corners(features["bands"], features["lowest_hz"], features["highest_hz"])
    return int((np.searchsorted(bins, low, "right") >= np.searchsorted(bins, high, "left")).sum())


# Linear up to 1000 Hz (15 mel), then 27 steps for every factor of 6.4.
def _mel(hz: float) -> float:
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)


def _hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, 200 * mel / 3, 1000 * 6.4 ** ((mel - 15) / 27))
