"""Folders of clips for the tests of the data room."""

import resource
import warnings
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

from channel_sparsity.data.sources import source_of


class Dataset:
    """A folder in TAU's layout that a test can build, and then break."""

    HEADER = ("filename", "scene_label", "identifier", "source_label")

    def __init__(self, root):
        self.root = root
        self.rows = []
        (root / "audio").mkdir(parents=True)

    def add(self, name, scene, identifier, device="a", *, samples=None, rate=44100, subtype="PCM_24"):
        """Write a clip below audio/ (a second of quiet noise unless samples are given) and list it."""
        if samples is None:
            samples = 0.01 * np.random.default_rng(len(self.rows)).standard_normal(rate)
        soundfile.write(self.root / "audio" / name, samples, rate, subtype=subtype)
        self.rows.append([f"audio/{name}", scene, identifier, device])
        self.save()

    @property
    def read(self):
        """What reads a clip by its name in meta.csv."""
        return source_of({"source": "folder", "path": str(self.root)}).read

    def save(self, separator="\t"):
        """Write meta.csv."""
        lines = [separator.join(row) for row in [self.HEADER, *self.rows]]
        (self.root / "meta.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def dataset(tmp_path):
    """Two scenes in two cities, two clips each, of device a."""
    made = Dataset(tmp_path / "clips")
    for scene in ("bus", "park"):
        for city in ("lisbon", "vienna"):
            made.add(f"{scene}-{city}-7-0-a.wav", scene, f"{city}-7")
    return made


@pytest.fixture
def zipped(tmp_path):
    """A function that writes an archive of (member, bytes); members may share a name."""

    def write(name, members, compression=zipfile.ZIP_DEFLATED):
        with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / name, "w", compression) as archive:
            warnings.simplefilter("ignore", UserWarning)  # of a name that comes twice
            for member, data in members:
                archive.writestr(member, data)
        return tmp_path / name

    return write


@pytest.fixture
def full_disk():
    """A function: no file that is written in a `with` block of it can become larger than so many bytes."""

    @contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
