"""People who talk: vowels by pulses through formants, consonants by bursts of noise."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from channel_sparsity.data.sources.synthetic.sounds import RATE_HZ, Bus, Curve, amplitude, noise, smooth

_VOWELS_HZ = ((300, 2250, 3000), (460, 1950, 2550), (740, 1300, 2500), (480, 900, 2450), (330, 780, 2300))
_SOURCE_CORNER_HZ = 900
_FORMANT_WIDTHS_HZ = (70, 100, 150)
_TRACT_SCALES = (1.0, 1.17)
_CONSONANTS: Curve = ((500, -60), (1800, -22), (3500, -4), (6000, 0), (9000, -5), (16000, -25))
_CONSONANT_LEVEL = 0.4


@dataclass(frozen=True)
class Crowd:
    """How many people talk, their median pitch and pace, and by how much the farthest are softer."""

    voices: int
    pitch_hz: float
    syllables_per_second: float
    spread_db: float = 10.0


@dataclass(frozen=True)
class _Syllables:
    """The syllables of a crowd within a stretch of time, every field [voices, slots]."""

    start_s: np.ndarray
    length_s: np.ndarray
    first_hz: np.ndarray
    last_hz: np.ndarray
    height: np.ndarray
    tract: np.ndarray


def talk(bus: Bus, rng: np.random.Generator, crowd: Crowd, level_db: float) -> None:
    """Add a crowd to a bus; at 0 dB the nearest voice, at 120 Hz, has an RMS of about 1 within vowels."""
    if crowd.voices == 0:
        return
    syllables = _syllables(rng, bus.seconds, crowd)
    bus.add_spectrum(_vowels(bus.samples, syllables), level_db)
    bus.add(_consonants(rng, bus.samples, syllables), level_db)


def _syllables(rng: np.random.Generator, seconds: float, crowd: Crowd) -> _Syllables:
    """Draw what everybody says; someone who pauses is silent for four syllables or longer."""
    slots = max(1, round(seconds * crowd.syllables_per_second))
    slot_s = seconds / slots
    each, shape = (crowd.voices, 1), (crowd.voices, slots)
    pitch = crowd.pitch_hz * np.exp(0.3 * rng.standard_normal(each))
    phrases = np.repeat(rng.random((crowd.voices, -(-slots // 4))) < 0.75, 4, axis=1)[:, :slots]
    near = amplitude(-crowd.spread_db * rng.random(each))
    first = pitch * np.exp(0.12 * rng.standard_normal(shape))
    return _Syllables(
        start_s=(np.arange(slots) + rng.random(each) + 0.3 * rng.random(shape)) * slot_s,
        length_s=rng.uniform(0.45, 0.85, shape) * slot_s,
        first_hz=first,
        last_hz=first * rng.uniform(0.8, 1.12, shape),
        height=near * phrases * (rng.random(shape) < 0.9) * np.exp(0.35 * rng.standard_normal(shape)),
        # High voices come from short tracts.
        tract=len(_VOWELS_HZ) * (pitch > crowd.pitch_hz) + rng.integers(len(_VOWELS_HZ), size=shape),
    )


def _vowels(samples: int, syllables: _Syllables) -> np.ndarray:
    """Spectrum of the vowels, complex64 [samples // 2 + 1]."""
    tracts = _vocal_tracts(samples)
    bins = tracts.shape[1]
    spectrum = np.zeros(samples // 2 + 1, dtype=np.complex64)
    pulses = _pulses(fft.next_fast_len(samples // 4 + 1, real=True), samples / RATE_HZ, syllables)
    spectrum[:bins] = np.sum(fft.rfft(pulses)[:, :bins] * tracts, axis=0)
    return spectrum


def _pulses(columns: int, seconds: float, syllables: _Syllables) -> np.ndarray:
    """The glottal pulses of a stretch of time, sampled `columns` times, float32 [vocal tracts, columns].

    The pitch glides from f to g within a syllable of the length d: pulse j is at the time t where
    f t + (g - f) t^2 / 2d = j.
    """
    length, first, last = (each[..., None] for each in (syllables.length_s, syllables.first_hz, syllables.last_hz))
    number = np.arange(int(np.max(np.maximum(first, last) * length)) + 1)
    discriminant = first**2 + 2 * (last - first) / length * number
    time = 2 * number / (first + np.sqrt(np.maximum(discriminant, 0)))
    within = (discriminant > 0) & (time < length)
    height = syllables.height[..., None] * np.sin(np.pi * np.minimum(time / length, 1)) ** 0.7
    column = ((syllables.start_s[..., None] + time) / seconds % 1 * columns).astype(int)
    tracts = len(_TRACT_SCALES) * len(_VOWELS_HZ)
    cells = syllables.tract[..., None] * columns + column
    pulses = np.bincount(cells[within], height[within], minlength=tracts * columns)
    return pulses.astype(np.float32).reshape(tracts, columns)


@lru_cache(maxsize=8)
def _vocal_tracts(samples: int) -> np.ndarray:
    """Responses to every vowel, complex64 [vocal tracts, samples // 8 + 1], for a stretch of `samples`.

    Three resonances in cascade behind a source that falls by 6 dB an octave above `_SOURCE_CORNER_HZ`, up to
    an eighth of the rate: hardly anything of a vowel lies above. A train of 120 unit pulses a second comes
    out with unit RMS.
    """
    frequencies = np.arange(samples // 8 + 1) * (RATE_HZ / samples)
    pulses = 120 * samples / RATE_HZ
    tracts = []
    for scale in _TRACT_SCALES:
        for formants in _VOWELS_HZ:
            gain = 1 / (1 + 1j * frequencies / _SOURCE_CORNER_HZ)
            for formant, width in zip(np.array(formants) * scale, _FORMANT_WIDTHS_HZ, strict=True):
                gain = gain * formant**2 / (formant**2 - frequencies**2 + 1j * frequencies * width)
            gain[0] = 0
            tracts.append(gain * samples / np.sqrt(2 * pulses * np.sum(np.abs(gain) ** 2)))
    return np.array(tracts, dtype=np.complex64)


def _consonants(rng: np.random.Generator, samples: int, syllables: _Syllables) -> np.ndarray:
    """Waveform of the consonants, a burst of noise where every other syllable begins, float32 [samples]."""
    grid = np.zeros(max(2, round(60 * samples / RATE_HZ)), dtype=np.float32)
    spoken = rng.random(syllables.start_s.shape) < 0.55
    position = syllables.start_s[spoken] * RATE_HZ / samples % 1 * len(grid)
    np.add.at(grid, position.astype(int), (_CONSONANT_LEVEL * syllables.height[spoken]).astype(np.float32))
    return smooth(grid, samples) * noise(rng, samples, _CONSONANTS)
