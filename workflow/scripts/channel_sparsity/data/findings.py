"""What the one pass over the audio notices of each clip, besides its features."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas

from channel_sparsity.data.audio import Adjustment, Clip
from channel_sparsity.files import read_csv

EQUAL_DB = 1e-3  # features as far apart as this are the same: what rounding does
CANCELLED = 0.01  # of a channel's swing is left when channels are averaged: -40 dB


class Finding(NamedTuple):
    """What was noticed of a clip."""

    adjustment: Adjustment
    silent: bool  # every sample of a channel is the same, zero or not
    cancelled: bool  # the channels, averaged, take each other away
    peak: float  # of the samples' magnitudes as recorded, over all channels; full scale is 1
    full_scale_run: int  # the longest run of samples at full scale
    blank_share: float  # of the frames: all bands at the bottom of the clip's dynamic range
    content: str  # a digest of the features: clips that share it are the same to every network
    encoding: str  # of the samples, with their bits


FINDINGS: Mapping[str, type] = {"filename": str, **Finding.__annotations__, "adjustment": str}


def examine(clip: Clip, features: np.ndarray) -> Finding:
    """What is to be noticed of a clip and of its features, float32 [bands, frames]."""
    return Finding(
        clip.adjustment,
        silent=clip.swing == 0,
        cancelled=clip.mixed_swing < CANCELLED * clip.swing,
        peak=round(clip.peak, 6),
        full_scale_run=clip.full_scale_run,
        blank_share=round(float((features.max(axis=0) <= features.min() + EQUAL_DB).mean()), 4),
        content=hashlib.sha256(features.data).hexdigest()[:16],
        encoding=clip.encoding,
    )


def findings_table(filenames: Iterable[str], findings: Iterable[Finding]) -> pandas.DataFrame:
    """A table of findings with the columns of `FINDINGS`, in the order of the clips."""
    frame = pandas.DataFrame(findings, columns=list(Finding._fields))
    frame.insert(0, "filename", list(filenames))
    return frame.astype(dict(FINDINGS))


def read_findings(path: str | Path) -> pandas.DataFrame:
    """Read a table of findings; StudyError if it is none."""
    return read_csv(path, FINDINGS, "table of findings")
