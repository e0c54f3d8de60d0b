"""Audio files become waveforms of one rate, one channel and one length."""

import io
import math
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import soundfile
import soxr

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError

Adjustment = Literal["none", "padded", "cut"]

LARGEST_SAMPLE = 1e12  # full scale is 1; the power of what is larger may leave the range of single precision
RESAMPLER_REACH = 4096  # samples that the end of a resampled clip may depend on, ...
REACH_RESAMPLED = 128  # ... or those of so many resampled ones, if these are more; soxr's filter is shorter than either
SAMPLES_AT_ONCE = 16384  # a block of samples stays in a core's cache
REMEDY = "replace or remove the clip"
FULL_SCALE = 0.9999  # the largest 16-bit sample and more; decoders of lossy formats go beyond 1


class Clip(NamedTuple):
    """A clip as the features are computed from it, and as it was recorded."""

    waveform: np.ndarray  # float32 [settings.samples]
    adjustment: Adjustment
    duration_s: float
    sample_rate_hz: int
    channels: int
    peak: float  # of the samples' magnitudes as recorded, in any channel; full scale is 1
    full_scale_run: int  # the longest run of samples at full scale: three or more are hardly ever anything but clipping
    swing: float  # from the least to the largest sample as recorded, in the channel where that is most
    mixed_swing: float  # that of the mean of the channels
    encoding: str  # of the samples, as libsndfile calls it: PCM_16, VORBIS


class _Forwards(soundfile.SoundFile):
    """A file that is read from its beginning on, once: without the seek after each read, which takes Ogg some time."""

    def seekable(self) -> bool:
        return False


@contextmanager
def opened(source: str | Path | bytes, name: str = "", remedy: str = REMEDY) -> Iterator[soundfile.SoundFile]:
    """An audio file, from its path or its bytes, to read. `StudyError`, also for what is decoded while it is open.

    It is raised for a file that cannot be decoded, is empty, or is not whole, as far as that can be told beforehand. It
    calls the file `name` (its path, unless given) and ends with what to do about it.
    """
    name = name or str(source)
    try:
        with _Forwards(io.BytesIO(source) if isinstance(source, bytes) else source) as sound:
            with _binary(source) as file:
                wrong = fault(sound, file)
            if wrong or not sound.frames:
                raise StudyError(f"{name} {wrong or 'holds no samples'}: {remedy}")
            yield sound
    except (OSError, TypeError, soundfile.SoundFileError) as error:  # TypeError: .raw files have no header
        # In soundfile's words, without the path.
        reason = getattr(error, "error_string", str(error)).rstrip(".") or "the data are damaged"
        raise StudyError(f"{name} cannot be decoded ({reason}): {remedy}") from error


def read_clip(source: str | Path | bytes, settings: LogMel, name: str = "", remedy: str = REMEDY) -> Clip:
    """Read a clip from its file or from the file's bytes, and bring it to the settings' rate and length.

    Any format that libsndfile knows will do. Channels are averaged; another rate is resampled (soxr, high
    quality); a short clip is padded with zeros; a long one is cut, and what is cut off is not read. `StudyError`, as
    `opened` raises it, also for a clip that ends early or holds NaN, infinity or a sample beyond `LARGEST_SAMPLE`.
    """
    name = name or str(source)
    with opened(source, name, remedy) as sound:
        rate, length, channels, encoding = sound.samplerate, sound.frames, sound.channels, sound.subtype
        needed = settings.samples
        if rate != settings.sample_rate_hz:
            behind = max(RESAMPLER_REACH, REACH_RESAMPLED * rate // settings.sample_rate_hz)
            needed = math.ceil(needed * rate / settings.sample_rate_hz) + behind
        needed = min(needed, length)
        samples = _decode(source, sound, needed)
    if len(samples) < needed:
        raise StudyError(f"{name} {CUT_OFF}: {remedy}")

    # Channel by channel: along the short axis NumPy takes ten times as long.
    tracks = np.ascontiguousarray(samples.T)
    least, largest = tracks.min(axis=1), tracks.max(axis=1)
    peak = float(np.maximum(-least, largest).max())
    if not peak <= LARGEST_SAMPLE:
        raise StudyError(f"{name} holds samples that are NaN, infinite or absurd: {remedy}")
    waveform = tracks[0] if channels == 1 else reduce(np.add, tracks) / channels
    full_scale_run = _longest_run(reduce(np.maximum, np.abs(tracks)) >= FULL_SCALE) if peak >= FULL_SCALE else 0
    swing = float((largest - least).max())
    mixed_swing = swing if channels == 1 else float(np.ptp(waveform))
    recorded = (length / rate, rate, channels, peak, full_scale_run, swing, mixed_swing, encoding)
    if rate != settings.sample_rate_hz:
        waveform = soxr.resample(waveform, rate, settings.sample_rate_hz, quality="HQ")
        length = round(length * settings.sample_rate_hz / rate)
    wanted = settings.samples
    if len(waveform) < wanted:
        waveform = np.pad(waveform, (0, wanted - len(waveform)))
    adjustment = "none" if length == wanted else "padded" if length < wanted else "cut"
    return Clip(waveform[:wanted], adjustment, *recorded)


def _longest_run(flags: np.ndarray) -> int:
    """The length of the longest run of true values, of which there is one at least."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max())


def _binary(source: str | Path | bytes) -> BinaryIO:
    """A file's bytes, to read."""
    return io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


def _decode(source: str | Path | bytes, sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The first samples of an open clip, float32 [frames, channels]; fewer where the file ends early."""
    if (sound.format, sound.subtype) in (("WAV", "PCM_24"), ("WAVEX", "PCM_24")):  # of which libsndfile is slow
        with _binary(source) as file:
            if _enter_data_chunk(file):
                file.seek(-1, os.SEEK_CUR)
                return _from_pcm24(file.read(1 + 3 * sound.channels * frames)).reshape(-1, sound.channels)
    return sound.read(frames, dtype="float32", always_2d=True)


def _enter_data_chunk(file: BinaryIO) -> bool:
    """Go to the samples of a little-endian WAV file; whether there are any."""
    if file.read(12)[:4] == b"RIFF":
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return size > 0
            file.seek(size + size % 2, os.SEEK_CUR)  # chunks begin at even places
    return False


def _from_pcm24(data: bytes) -> np.ndarray:
    """Little-endian 24-bit samples, after one byte of anything, as float32 in [-1, 1), like libsndfile's."""
    # Each sample is the upper three bytes of a 32-bit word that begins one byte before it.
    words = np.ndarray((len(data) - 1) // 3, "<i4", data, strides=(3,))
    samples = np.empty(len(words), np.float32)
    for start in range(0, len(words), SAMPLES_AT_ONCE):
        some = slice(start, start + SAMPLES_AT_ONCE)
        samples[some] = words[some] & np.int32(-256)
    samples *= np.float32(2.0**-31)
    return samples


# From here on as in classify.py, word for word: that is a program of its own.
CUT_OFF = "ends before its last sample, it is damaged"

#: What programs that write to a pipe put in the place of a size is this or more.
UNKNOWN_SIZE = 0x7FFF0000

#: Where libsndfile notes that a header promises more of the samples than there is; it then takes what there is.
PROMISED = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Data length|Riff size|riff) *:? *([0-9]+) \(?should be ([0-9]+)", re.MULTILINE
)


def fault(sound: soundfile.SoundFile, file: BinaryIO) -> str:
    """Why an open sound is not to be believed, from its `file`: it is cut off, or its length is a guess; or nothing."""
    notes = sound.extra_info
    sizes = [tuple(map(int, each)) for each in PROMISED.findall(notes)]
    if any(present < promised < UNKNOWN_SIZE for promised, present in sizes) or "to be a truncated file" in notes:
        return CUT_OFF
    if sound.format == "OGG":
        return ogg_fault(file)
    # FLAC from a pipe has no length, and MP3 has one in a frame of its own (Xing, Info or VBRI) or nowhere.
    if sound.frames >= 2**62 or (sound.format == "MP3" and not has_length(file)):
        return "does not say how long it is (convert it to WAV or FLAC)"
    return ""


def ogg_fault(file: BinaryIO) -> str:
    """What the headers of an Ogg file's pages tell: whether it is cut off, or has a second stream behind the first."""
    place, size, ended = 0, file.seek(0, os.SEEK_END), False
    while file.seek(place) < size and (header := file.read(27))[:4] == b"OggS" and len(header) == 27:
        begins, ends = header[5] & 2, header[5] & 4
        if begins and ended:
            return "holds several recordings, one behind the other (make a file of each)"
        ended = ended or bool(ends)
        place += 27 + header[26] + sum(file.read(header[26]))
    return CUT_OFF if place and (place > size or not ended) else ""


def has_length(file: BinaryIO) -> bool:
    """Whether an MP3 file says how many frames it has, in its first one behind any ID3 tag."""
    file.seek(0)
    head = file.read(10)
    size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(10 + size if head[:3] == b"ID3" else 0)
    frame = file.read(1024)
    return any(name in frame for name in (b"Xing", b"Info", b"VBRI"))
