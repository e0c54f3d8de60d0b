"""The files that a training or a curve reads, of six clips."""

import numpy
import pandas
import pytest
import soundfile

from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.sources import source_of
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.files import write_csv, write_json

SCENES = ["tram", "bus", "tram", "park", "bus", "park"]


@pytest.fixture
def study(tmp_path):
    """Six clips of three scenes, their store, a split and a normalisation."""
    (tmp_path / "audio").mkdir()
    draw = numpy.random.default_rng(1)
    rows = []
    for number, scene in enumerate(SCENES):
        soundfile.write(tmp_path / f"audio/{number}.wav", draw.normal(0, 0.1, 4410), 44100)
        rows.append((f"audio/{number}.wav", scene, f"lyon-{number}", "a"))
    meta = pandas.DataFrame(rows, columns=["filename", "scene_label", "identifier", "source_label"])
    meta.to_csv(tmp_path / "meta.csv", sep="\t", index=False)
    clips = read_folder(tmp_path, ["a"])
    read = source_of({"source": "folder", "path": str(tmp_path)}).read
    write_store(tmp_path / "logmel.h5", clips, read, LogMel(duration_s=0.1), 1, lambda done: None)
    subset = ["train", "train", "validation", "train", "validation", "train"]
    write_csv(tmp_path / "split.csv", clips[["filename"]].assign(subset=subset))
    bands = {"mean_db": [-20.0] * 40, "standard_deviation_db": [4.0] * 40}
    write_json(tmp_path / "normalisation.json", bands)
    return tmp_path
