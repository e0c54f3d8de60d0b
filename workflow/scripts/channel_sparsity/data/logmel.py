"""Log-mel spectrograms: librosa's numbers at several times its speed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view

from channel_sparsity.data.mel import mel_corners
from channel_sparsity.files import StudyError

QUIETEST_POWER = 1e-10  # librosa's `amin`: -100 dB
FRAMES_AT_ONCE = 64  # a block of frames and its spectrum (1 MB) stay in a core's cache

# Single precision puts rounding noise of about 1e-18 of a frame's energy into every bin of its spectrum.
# The mean power of a band's n bins is far less than 1e-3 dB off where it exceeds this share of the energy,
# divided by n.
SAFE_SHARE = 1e-7


@dataclass(frozen=True)
class LogMel:
    """The settings of a log-mel spectrogram (section 3.1 of the paper: 40 bands, windows of 40 ms) and the transform.

    Calling it gives what librosa's `melspectrogram` (Slaney's mel scale and area normalisation, a Hann window
    centred in the transform, frames centred by padding with zeros) and `power_to_db` (reference 1) give,
    within 1e-3 dB. `fmax_hz` None is half the sample rate; `top_db` None keeps all down to -100 dB.
    """

    sample_rate_hz: int = 44100
    n_fft: int = 2048
    win_length: int = 1764
    hop_length: int = 1102
    n_mels: int = 40
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    top_db: float | None = 80.0
    duration_s: float = 10.0

    def __post_init__(self) -> None:
        if self.win_length > self.n_fft:
            raise StudyError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}: raise n_fft")
        if self.samples < 1:
            raise StudyError(f"duration_s {self.duration_s} is shorter than one sample: raise it")

    @property
    def samples(self) -> int:
        """Samples of a clip."""
        return round(self.duration_s * self.sample_rate_hz)

    @property
    def frames(self) -> int:
        """Frames of a clip: 401 of ten seconds at a hop of 1102 samples."""
        return 1 + (self.samples - self.n_fft % 2) // self.hop_length

    @property
    def mel_corners(self) -> np.ndarray:
        """The corners of each mel filter; see `mel.mel_corners`."""
        return mel_corners(self.n_mels, self.fmin_hz, self.sample_rate_hz / 2 if self.fmax_hz is None else self.fmax_hz)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Turn a waveform [samples], of one sample or more, into decibels, float32 [n_mels, frames]."""
        padded = np.pad(np.asarray(waveform, np.float32), self.n_fft // 2)
        frames = sliding_window_view(padded, self.n_fft)[:: self.hop_length]

        power, energy = self._band_power(frames, np.float32)
        floor = QUIETEST_POWER
        if self.top_db is not None:
            floor = max(floor, power.max() * 10 ** (-self.top_db / 10))
        rounded = power < np.outer(_tables(self, np.float32).safe_share, energy)
        again = (rounded & (power > 0.9 * floor)).any(axis=0)
        if again.any():
            power[:, again], _ = self._band_power(frames[again], np.float64)

        # Rounded from double precision, since versions of the C library differ in the logarithm of single precision.
        decibels = (10 * np.log10(np.maximum(power, QUIETEST_POWER), dtype=np.float64)).astype(np.float32)
        return decibels if self.top_db is None else np.maximum(decibels, decibels.max() - self.top_db)

    def _band_power(self, frames: np.ndarray, dtype: type) -> tuple[np.ndarray, np.ndarray]:
        """The power of frames [frames, n_fft]: by band, float32 [n_mels, frames], and overall [frames]."""
        tables = _tables(self, dtype)
        powers = np.empty((self.n_mels + 1, len(frames)), np.float32)
        block = np.zeros((self.n_fft, FRAMES_AT_ONCE), dtype)
        for start in range(0, len(frames), FRAMES_AT_ONCE):
            some = frames[start : start + FRAMES_AT_ONCE, tables.within]
            np.multiply(some.T, tables.window, out=block[tables.within, : len(some)])
            # Real and imaginary parts lie side by side: squares are taken in place, the sparse product runs
            # along whole rows, and the sum of the two is left to the end, where few numbers remain.
            spectrum = scipy.fft.rfft(block[:, : len(some)], axis=0).view(dtype)
            spectrum *= spectrum
            squares = tables.bands @ spectrum
            powers[:, start : start + len(some)] = squares[:, ::2] + squares[:, 1::2]
        return powers[:-1], powers[-1]


def logmel_of(features: Mapping) -> LogMel:
    """The transform that a data set's `features` describe."""
    return LogMel(
        sample_rate_hz=features["sample_rate_hz"],
        n_fft=features["fft_samples"],
        win_length=features["window_samples"],
        hop_length=features["hop_samples"],
        n_mels=features["bands"],
        fmin_hz=float(features["lowest_hz"]),
        fmax_hz=float(features["highest_hz"]),
        top_db=float(features["dynamic_range_db"]),
        duration_s=float(features["duration_s"]),
    )


class _Tables(NamedTuple):
    """What the transform multiplies by."""

    within: slice  # where in the n_fft samples the window lies
    window: np.ndarray  # [win_length, 1]
    bands: scipy.sparse.csr_array  # [n_mels + 1, bins]: the mel filters, and a row of ones for all bins
    safe_share: np.ndarray  # [n_mels]: the least share of a frame's energy that single precision gets right


def mel_filters(settings: LogMel) -> np.ndarray:
    """Slaney's triangles over the bins of the transform, each of unit area in Hz, float32 [n_mels, bins]."""
    bins = np.fft.rfftfreq(settings.n_fft, 1 / settings.sample_rate_hz)
    low, middle, high = settings.mel_corners[:, :, None]
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return (np.maximum(0, triangles) * 2 / (high - low)).astype(np.float32)


@lru_cache(maxsize=8)
def _tables(settings: LogMel, dtype: type) -> _Tables:
    filters = mel_filters(settings)
    start = (settings.n_fft - settings.win_length) // 2
    phase = 2 * np.pi / settings.win_length * np.arange(settings.win_length)
    # sum(w) / n with n = sum(w)^2 / sum(w^2), the number of bins that a filter effectively averages over
    gain_per_bin = np.square(filters).sum(axis=1) / np.maximum(filters.sum(axis=1), np.finfo(np.float32).tiny)
    return _Tables(
        within=slice(start, start + settings.win_length),
        window=(0.5 - 0.5 * np.cos(phase))[:, None].astype(dtype),
        bands=scipy.sparse.csr_array(np.vstack([filters, np.ones_like(filters[:1])]).astype(dtype)),
        safe_share=(SAFE_SHARE * gain_per_bin).astype(np.float32),
    )
