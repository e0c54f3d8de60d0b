"""Audio files become waveforms of one rate, one channel and one length."""

import math
import os
import struct
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import soundfile
import soxr

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError

Adjustment = Literal["none", "padded", "cut"]

LARGEST_SAMPLE = 1e12  # full scale is 1; the power of what is larger may leave the range of single precision
RESAMPLER_REACH = 4096  # samples that the end of a resampled clip may depend on; soxr's filter is shorter
UNKNOWN_SIZE = 0x7FFF0000  # what programs that write to a pipe put in the place of a size is this or more


def read_clip(path: str | Path, settings: LogMel) -> tuple[np.ndarray, Adjustment]:
    """Read a clip as float32 [settings.samples], and say whether it was padded or cut to that length.

    Any format that libsndfile knows will do. Channels are averaged; another rate is resampled (soxr, high
    quality); a short clip is padded with zeros; a long one is cut, and what is cut off is not read. A clip
    that cannot be decoded, is empty, ends early or holds NaN, infinity or a sample beyond `LARGEST_SAMPLE`
    raises `StudyError`.
    """
    try:
        with soundfile.SoundFile(path) as sound:
            rate, length = sound.samplerate, sound.frames
            if not length:
                raise StudyError(f"{path} holds no samples: replace or remove the clip")
            needed = settings.samples
            if rate != settings.sample_rate_hz:
                needed = math.ceil(needed * rate / settings.sample_rate_hz) + RESAMPLER_REACH
            needed = min(needed, length)
            samples = _decode(path, sound, needed)
    except (OSError, soundfile.SoundFileError) as error:
        raise StudyError(f"{path} cannot be decoded ({reason(error)}): replace or remove the clip") from error
    if len(samples) < needed:
        raise StudyError(f"{path} ends before its last sample, it is damaged: replace or remove the clip")

    waveform = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if not np.abs(waveform).max() <= LARGEST_SAMPLE:
        raise StudyError(f"{path} holds samples that are NaN, infinite or absurd: replace or remove the clip")
    if rate != settings.sample_rate_hz:
        waveform = soxr.resample(waveform, rate, settings.sample_rate_hz, quality="HQ")
        length = round(length * settings.sample_rate_hz / rate)
    return _fit(waveform, settings.samples), _adjustment(length, settings.samples)


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


def _decode(path: str | Path, sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The first samples of an open clip, float32 [frames, channels]; fewer where the file ends early."""
    if sound.format in ("WAV", "WAVEX"):
        # libsndfile believes a WAV file that was cut off to be whole, and is slow with 24-bit samples.
        with open(path, "rb") as file:
            promised = _enter_data_chunk(file)
            present = os.fstat(file.fileno()).st_size - file.tell()
            if present < promised < UNKNOWN_SIZE:
                return np.empty((0, sound.channels), np.float32)
            if promised and sound.subtype == "PCM_24":
                file.seek(-1, os.SEEK_CUR)
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
