"""Elements of an acoustic scene (noise, machines, ringing bodies, whistles) and the bus that mixes them.

Everything is 44.1 kHz and mono. Long sounds are circular: they meet themselves at the end of the stretch, and
what is struck near its end rings on at its beginning. A clip therefore sounds like a cut from a scene that
goes on, and reverberation is a product of spectra. Levels are in dB relative to a sound of unit root mean
square.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import fft

RATE_HZ = 44100

Curve = tuple[tuple[float, float], ...]
"""A spectrum's envelope: (frequency in Hz, level in dB), interpolated over the logarithm of frequency."""

_CYCLE = 8192


def amplitude(level_db: float | np.ndarray) -> float | np.ndarray:
    """The factor that a level in dB stands for."""
    return 10 ** (level_db / 20)


@lru_cache(maxsize=32)
def octaves(samples: int) -> np.ndarray:
    """log2 of the frequency in Hz of every bin of a real spectrum; the constant bin counts as 1 Hz."""
    return np.log2(np.maximum(fft.rfftfreq(samples, 1 / RATE_HZ), 1.0))


@lru_cache(maxsize=96)
def _noise_shape(samples: int, curve: Curve) -> np.ndarray:
    """Amplitude of every bin of a real spectrum [samples // 2 + 1], float32, without a constant component.

    Real and imaginary parts uniform in [-1, 1) give noise of unit RMS by it.
    """
    frequencies, levels = np.array(curve, dtype=float).T
    gains = amplitude(np.interp(octaves(samples), np.log2(frequencies), levels)).astype(np.float32)
    gains[0] = 0
    return gains * np.float32(samples / np.sqrt(4 / 3 * np.sum(gains.astype(float) ** 2)))


def noise_spectrum(rng: np.random.Generator, samples: int, curve: Curve) -> np.ndarray:
    """Spectrum of noise with the envelope `curve` and an expected RMS of 1, complex64 [samples // 2 + 1].

    A sample is a sum of thousands of independent terms, hence Gaussian, although each term is uniform.
    """
    parts = rng.random((samples // 2 + 1, 2), dtype=np.float32) * 2 - 1
    return parts.view(np.complex64)[:, 0] * _noise_shape(samples, curve)


def noise(rng: np.random.Generator, samples: int, curve: Curve) -> np.ndarray:
    """Noise with the envelope `curve` and an expected RMS of 1, float32 [samples]."""
    return fft.irfft(noise_spectrum(rng, samples, curve), samples)


class Bus:
    """A stretch of sound that is being mixed: `samples` long, joined end to end."""

    def __init__(self, samples: int) -> None:
        self.samples = samples
        self.seconds = samples / RATE_HZ
        self._wave = np.zeros(samples, dtype=np.float32)
        self._spectrum = np.zeros(samples // 2 + 1, dtype=np.complex64)

    def add(self, wave: np.ndarray, level_db: float) -> None:
        """Add a sound as long as the bus."""
        self._wave += wave * np.float32(amplitude(level_db))

    def add_spectrum(self, spectrum: np.ndarray, level_db: float) -> None:
        """Add a sound as long as the bus that is known by its spectrum; this saves a transform."""
        self._spectrum += spectrum * np.float32(amplitude(level_db))

    def hiss(self, rng: np.random.Generator, curve: Curve, level_db: float) -> None:
        """Add steady noise."""
        self.add_spectrum(noise_spectrum(rng, self.samples, curve), level_db)

    def strike(self, start_s: float, wave: np.ndarray, level_db: float) -> None:
        """Add a sound that begins at `start_s`; what reaches past the end goes on at the beginning."""
        wave = wave[: self.samples] * np.float32(amplitude(level_db))
        start = int(start_s * RATE_HZ) % self.samples
        head = min(len(wave), self.samples - start)
        self._wave[start : start + head] += wave[:head]
        self._wave[: len(wave) - head] += wave[head:]

    def spectrum(self) -> np.ndarray:
        """Spectrum of everything that was added, complex64 [samples // 2 + 1]."""
        return fft.rfft(self._wave) + self._spectrum


def moments(rng: np.random.Generator, seconds: float, per_second: float) -> np.ndarray:
    """When events of a Poisson process begin within a stretch of time, in seconds, in no order."""
    return rng.random(rng.poisson(per_second * seconds)) * seconds


def wander(rng: np.random.Generator, samples: int, per_second: float) -> np.ndarray:
    """A smooth circular curve, float32 [samples], through `per_second` standard normal values a second."""
    return smooth(rng.standard_normal(max(2, round(samples / RATE_HZ * per_second)), dtype=np.float32), samples)


def smooth(values: np.ndarray, samples: int) -> np.ndarray:
    """A smooth circular curve [samples] through float32 `values` at (nearly) equal distances."""
    ramp = np.linspace(0, 1, -(-samples // len(values)), endpoint=False, dtype=np.float32)
    ramp = ramp * ramp * (3 - 2 * ramp)
    curve = values[:, None] + (np.roll(values, -1) - values)[:, None] * ramp
    return curve.ravel()[:samples]


def gusts(rng: np.random.Generator, samples: int, per_second: float, spread_db: float) -> np.ndarray:
    """A factor that wanders by `spread_db` (standard deviation) about 1, float32 [samples]."""
    return np.exp(wander(rng, samples, per_second) * np.float32(spread_db * np.log(10) / 20))


def cycle(rng: np.random.Generator, harmonics: Sequence[float]) -> np.ndarray:
    """One turn of a machine, float32, unit RMS, from the amplitudes of its harmonics and random phases."""
    spectrum = np.zeros(_CYCLE // 2 + 1, dtype=complex)
    spectrum[1 : len(harmonics) + 1] = np.asarray(harmonics) * np.exp(2j * np.pi * rng.random(len(harmonics)))
    wave = fft.irfft(spectrum)
    return (wave / np.sqrt(np.mean(wave**2))).astype(np.float32)


def turn(rng: np.random.Generator, turn_wave: np.ndarray, turns_per_second: np.ndarray) -> np.ndarray:
    """A machine that repeats `turn_wave` at a changing speed [samples], float32 [samples].

    The speed is scaled by a hair so that a whole number of turns fits and the sound stays circular.
    """
    turns = np.cumsum(turns_per_second, dtype=float)
    turns *= max(1, round(turns[-1] / RATE_HZ)) / turns[-1]
    position = ((turns + rng.random()) * _CYCLE).astype(np.int64)
    return turn_wave[position & (_CYCLE - 1)]


def time_axis(samples: int) -> np.ndarray:
    """Time in seconds of every sample, float32."""
    return np.arange(samples, dtype=np.float32) / np.float32(RATE_HZ)


def ring(frequencies_hz: Sequence[float], decay_s: Sequence[float], amplitudes: Sequence[float]) -> np.ndarray:
    """A struck body: partials that each fall by 60 dB within their `decay_s`, cut at 40 dB."""
    time = time_axis(int(0.67 * max(decay_s) * RATE_HZ))
    wave = np.zeros_like(time)
    for frequency, decay, height in zip(frequencies_hz, decay_s, amplitudes, strict=True):
        wave += (
            np.float32(height)
            * np.sin(np.float32(2 * np.pi * frequency) * time)
            * np.exp(np.float32(-6.9 / decay) * time)
        )
    return wave * _fades(len(wave), 0.001, 0.02)


@lru_cache(maxsize=512)
def _fades(samples: int, attack_s: float, release_s: float) -> np.ndarray:
    """An envelope that rises and falls without a click, float32 [samples]."""
    time = (np.arange(samples) + 0.5) / RATE_HZ
    envelope = np.minimum(1, time / attack_s) * np.minimum(1, time[::-1] / release_s)
    return np.sin(envelope * np.pi / 2).astype(np.float32)


def puff(rng: np.random.Generator, seconds: float, curve: Curve, decay_s: float, attack_s: float = 0.001) -> np.ndarray:
    """A burst of noise with the envelope `curve` that falls by 60 dB within `decay_s`, RMS 1 at its top."""
    time = time_axis(int(seconds * RATE_HZ))
    return (
        noise(rng, len(time), curve)
        * np.exp(np.float32(-6.9 / decay_s) * time)
        * _fades(len(time), attack_s, 0.1 * seconds)
    )


def whistle(path_hz: Sequence[float], seconds: float, overtone: float = 0.1) -> np.ndarray:
    """A tone, with one overtone, that glides through the frequencies of `path_hz`, equally far in time."""
    time = time_axis(int(seconds * RATE_HZ))
    knots = np.linspace(0, len(time), len(path_hz))
    frequency = np.exp(np.interp(np.arange(len(time)), knots, np.log(path_hz)))
    phase = (2 * np.pi * (np.cumsum(frequency) / RATE_HZ)).astype(np.float32)
    wave = np.sin(phase) + np.float32(overtone) * np.sin(2 * phase)
    return wave * _fades(len(time), 0.25 * seconds, 0.35 * seconds)
