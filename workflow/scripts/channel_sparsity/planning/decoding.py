"""A data set before it is read: how many clips there are, and how long one takes to decode and to transform."""

import io
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy
import soundfile

from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.logmel import LogMel, logmel_of
from channel_sparsity.data.meta import Row, read_meta, recorded_by
from channel_sparsity.files import StudyError

SOME = 16  # clips
SCENES = 10  # where the configuration does not tell; the last layer of a network hangs on it, and next to no time


class Extent(NamedTuple):
    """How many clips and scenes a data set has."""

    clips: int
    scenes: int


def extent_of(block: Mapping, name: str) -> Extent:
    """What the data set's block, or a folder's meta.csv, says; `StudyError` where a record does not tell."""
    match block["source"]:
        case "synthetic":
            plan = block["synthetic"]
            scenes = len(plan["scenes"])
            return Extent(scenes * plan["cities"] * plan["locations"] * plan["segments"], scenes)
        case "folder":
            rows = _rows(block)
            return Extent(len(rows), len({row.scene for row in rows}))
    expected = block.get("expected", {})
    if "clips" not in expected:
        raise StudyError(f"`datasets.{name}.expected.clips` is missing: say there how many clips the record has")
    each = expected.get("clips_per_scene")
    return Extent(expected["clips"], expected["clips"] // each if each else SCENES)


def decoding_s(block: Mapping) -> float:
    """CPU seconds of one core for the features of a clip: of a folder's first clips, or of noise in 24 bits."""
    settings = logmel_of(block["features"])
    if block["source"] == "folder":
        root = Path(block["path"])
        reads = [lambda path=root / row.filename: read_clip(path, settings) for row in _rows(block)[:SOME]]
    else:
        data = _noise(settings)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("clip.wav", data)
        archive = zipfile.ZipFile(packed)
        deflated = block["source"] == "record"
        reads = [lambda: read_clip(archive.read("clip.wav") if deflated else data, settings)] * SOME
    settings(reads[0]().waveform)
    began = time.process_time()
    for read in reads:
        settings(read().waveform)
    return (time.process_time() - began) / len(reads)


def _rows(block: Mapping) -> list[Row]:
    meta = Path(block["path"]) / "meta.csv"
    return recorded_by(block["devices"], read_meta(meta), meta)


def _noise(settings: LogMel) -> bytes:
    """A clip of noise at 30 dB under full scale, which deflates by as little as recordings do."""
    samples = 0.03 * numpy.random.default_rng(0).standard_normal(settings.samples)
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1, 1), settings.sample_rate_hz, "PCM_24", format="WAV")
    return file.getvalue()
