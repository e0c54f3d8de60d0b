"""Your own clips beside librosa: names and rows read, and the largest difference of their log-mel.

    PYTHONPATH=workflow/scripts python benchmarks/real_clips.py recordings [config.yaml]

`recordings` holds audio/ and meta.csv. Features are those of the data set of a configuration, the paper's unless given.
"""

import sys
from pathlib import Path

import librosa
import numpy
import yaml

from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.logmel import LogMel, logmel_of
from channel_sparsity.data.meta import names_of, read_meta
from channel_sparsity.data.sources.folder import find


def by_librosa(path: Path, settings: LogMel) -> numpy.ndarray:
    """librosa's decibels [bands, frames] of a clip, cut or padded to the settings' length."""
    waveform, rate = librosa.load(path, sr=None, mono=True)
    waveform = librosa.resample(waveform, orig_sr=rate, target_sr=settings.sample_rate_hz)
    power = librosa.feature.melspectrogram(
        y=librosa.util.fix_length(waveform, size=settings.samples),
        sr=settings.sample_rate_hz,
        n_fft=settings.n_fft,
        win_length=settings.win_length,
        hop_length=settings.hop_length,
        n_mels=settings.n_mels,
        fmin=settings.fmin_hz,
        fmax=settings.fmax_hz,
    )
    return librosa.power_to_db(power, top_db=settings.top_db)


if __name__ == "__main__":
    root, path = Path(sys.argv[1]), Path(sys.argv[2] if sys.argv[2:] else "config.yaml")
    configuration = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings = logmel_of(configuration["datasets"][configuration["dataset"]]["features"])
    largest = 0.0
    for row in read_meta(root / "meta.csv"):
        names, file = names_of(row), find(root, row.filename)
        clip = read_clip(file, settings)
        difference = float(numpy.abs(settings(clip.waveform) - by_librosa(file, settings)).max())
        largest = max(largest, difference)
        known = ", ".join(f"{key} {value}" for key, value in names.items() if key != "filename")
        print(f"{row.filename}: {known}; {difference:.1e} dB")
    print(f"largest difference: {largest:.1e} dB")
