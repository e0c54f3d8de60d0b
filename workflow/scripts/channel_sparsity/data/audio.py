"""Audio files become waveforms of one rate, one channel and one length."""

import io
import math
import os
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import soundfile
import soxr

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError

Adjustment = Literal["none", "padded", "cut"]

LARGEST_SAMPLE = 1e12  # full scale is 1; the power of what is larger may leave the range of single precision
RESAMPLER_REACH = 4096  # samples that the end of a resampled clip may depend on; soxr's filter is shorter
REMEDY = "replace or remove the clip"
FULL_SCALE = 0.9999  # the largest 16-bit sample and more; decoders of lossy formats go beyond 1
UNKNOWN_SIZE = 0x7FFF0000  # what programs that write to a pipe put in the place of a size is this or more


class Clip(NamedTuple):
    """A clip as the features are computed from it, and as it was recorded."""

    waveform: np.ndarray  # float32 [settings.samples]
    adjustment: Adjustment
    duration_s: float
    sample_rate_hz: int
    channels: int
    peak: float  # of the samples' magnitudes as recorded, in any channel; full scale is 1
    full_scale_run: int  # the longest run of samples at full scale: three or more are hardly ever anything but clipping


def read_clip(source: str | Path | bytes, settings: LogMel, name: str = "", remedy: str = REMEDY) -> Clip:
    """Read a clip from its file or from the file's bytes, and bring it to the settings' rate and length.

    Any format that libsndfile knows will do. Channels are averaged; another rate is resampled (soxr, high
    quality); a short clip is padded with zeros; a long one is cut, and what is cut off is not read. A clip
    that cannot be decoded, is empty, ends early or holds NaN, infinity or a sample beyond `LARGEST_SAMPLE`
    raises `StudyError`, which calls it `name` (its path, unless given) and ends with what to do about it.
    """
    name = name or str(source)
    try:
        with soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else source) as sound:
            rate, length, channels = sound.samplerate, sound.frames, sound.channels
            if not length:
                raise StudyError(f"{name} holds no samples: {remedy}")
            needed = settings.samples
            if rate != settings.sample_rate_hz:
                needed = math.ceil(needed * rate / settings.sample_rate_hz) + RESAMPLER_REACH
            needed = min(needed, length)
            samples = _decode(source, sound, needed)
    except (OSError, soundfile.SoundFileError) as error:
        raise StudyError(f"{name} cannot be decoded ({reason(error)}): {remedy}") from error
    if len(samples) < needed:
        raise StudyError(f"{name} ends before its last sample, it is damaged: {remedy}")

    magnitudes = np.abs(samples[:, 0]) if channels == 1 else np.abs(samples).max(axis=1)
    peak = float(magnitudes.max())
    if not peak <= LARGEST_SAMPLE:
        raise StudyError(f"{name} holds samples that are NaN, infinite or absurd: {remedy}")
    waveform = samples[:, 0] if channels == 1 else samples.mean(axis=1)
    full_scale_run = _longest_run(magnitudes >= FULL_SCALE) if peak >= FULL_SCALE else 0
    recorded = (length / rate, rate, channels, peak, full_scale_run)
    if rate != settings.sample_rate_hz:
        waveform = soxr.resample(waveform, rate, settings.sample_rate_hz, quality="HQ")
        length = round(length * settings.sample_rate_hz / rate)
    return Clip(_fit(waveform, settings.samples), _adjustment(length, settings.samples), *recorded)


def _longest_run(flags: np.ndarray) -> int:
    """The length of the longest run of true values, of which there is one at least."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max())


def reason(error: Exception) -> str:
    """What is wrong with a file in soundfile's words, without the path."""
    return getattr(error, "error_string", str(error)).rstrip(".") or "the data are damaged"


def _adjustment(length: int, wanted: int) -> Adjustment:
    if length == wanted:
        return "none"
    return "padded" if length < wanted else "cut"


def _fit(waveform: np.ndarray, wanted: int) -> np.ndarray:
    """Cut a waveform at its end, or pad it with zeros."""
    missing = wanted - len(waveform)
    return np.pad(waveform, (0, missing)) if missing > 0 else waveform[:wanted]


def _decode(source: str | Path | bytes, sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The first samples of an open clip, float32 [frames, channels]; fewer where the file ends early."""
    if sound.format in ("WAV", "WAVEX"):
        # libsndfile believes a WAV file that was cut off to be whole, and is slow with 24-bit samples.
        with nullcontext(io.BytesIO(source)) if isinstance(source, bytes) else open(source, "rb") as file:
            promised = _enter_data_chunk(file)
            start = file.tell()
            present = file.seek(0, os.SEEK_END) - start
            if present < promised < UNKNOWN_SIZE:
                return np.empty((0, sound.channels), np.float32)
            if promised and sound.subtype == "PCM_24":
                file.seek(start - 1)
                return _from_pcm24(file.read(1 + 3 * sound.channels * frames)).reshape(-1, sound.channels)
    return sound.read(frames, dtype="float32", always_2d=True)


def _enter_data_chunk(file: BinaryIO) -> int:
    """Go to the samples of a little-endian WAV file and return how many bytes it promises; 0 if none."""
    if file.read(12)[:4] == b"RIFF":
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return size
            file.seek(size + size % 2, os.SEEK_CUR)  # chunks begin at even places
    return 0


def _from_pcm24(data: bytes) -> np.ndarray:
    """Little-endian 24-bit samples, after one byte of anything, as float32 in [-1, 1), like libsndfile's."""
    # Each sample is the upper three bytes of a 32-bit word that begins one byte before it.
    words = np.ndarray((len(data) - 1) // 3, "<i4", data, strides=(3,))
    samples = (words & np.int32(-256)).astype(np.float32)
    samples *= np.float32(2.0**-31)
    return samples
