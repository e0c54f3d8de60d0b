"""A data set before it is read: how long a clip takes to decode and to transform."""

import io
import time
import zipfile
from functools import partial

import numpy
import soundfile

from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.logmel import LogMel, logmel_of
from channel_sparsity.data.sources import DataSource

SOME = 16  # clips


def decoding_s(source: DataSource) -> float:
    """CPU seconds of one core for the features of a clip: of the source's first clips, or of noise in 24 bits."""
    settings = logmel_of(source.block["features"])
    names = source.first(SOME)
    if names:
        reads = [partial(source.read, name, settings) for name in names]
    else:
        data = _noise(settings)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("clip.wav", data)
        archive = zipfile.ZipFile(packed)
        reads = [lambda: read_clip(archive.read("clip.wav") if source.deflated else data, settings)] * SOME
    settings(reads[0]().waveform)
    began = time.process_time()
    for read in reads:
        settings(read().waveform)
    return (time.process_time() - began) / len(reads)


def _noise(settings: LogMel) -> bytes:
    """A clip of noise at 30 dB under full scale, which deflates by as little as recordings do."""
    samples = 0.03 * numpy.random.default_rng(0).standard_normal(settings.samples)
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1, 1), settings.sample_rate_hz, "PCM_24", format="WAV")
    return file.getvalue()
