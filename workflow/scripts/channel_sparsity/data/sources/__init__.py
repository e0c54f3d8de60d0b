"""The sources of clips: a module each, which bears the name that the configuration gives the source.

The module has a class `Source`, made from a block of `datasets`. It says what is peculiar to the source; what most have
in common stands here. Snakemake imports every source when it starts, also where nothing is to be done: what takes long
to import (soundfile, scipy) is imported in the functions that need it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pandas

from channel_sparsity.data.meta import files_in_audio
from channel_sparsity.files import StudyError

if TYPE_CHECKING:
    from channel_sparsity.data.audio import Clip
    from channel_sparsity.data.logmel import LogMel

#: The names of all sources.
NAMES = tuple(
    sorted(
        each.stem
        for each in Path(__file__).parent.glob("[!_]*")
        if each.suffix == ".py" or (each / "__init__.py").is_file()
    )
)

#: The schema of a path in the configuration. `wanted` is what an error asks for; `canonical` goes by the `format`.
PATH = {
    "type": "string",
    "format": "path",
    "pattern": "^[^{}<>]*$",
    "minLength": 1,
    "wanted": "a path that has no { } < >, which Snakemake reads otherwise",
}


class Extent(NamedTuple):
    """How many clips and scenes a data set has."""

    clips: int
    scenes: int


@dataclass(frozen=True)
class Costs:
    """What a data set takes beside the computation of its features, and beside the features.

    `making_s`: seconds of one core to make the clips. In bytes: `kept`, what stays in data/<dataset>/; `passing`, what
    is needed for a while; `download`.
    """

    making_s: float = 0.0
    kept: Mapping[str, int] = field(default_factory=dict)
    passing: int = 0
    download: int = 0


@dataclass(frozen=True)
class DataSource:
    """Where the clips of a data set come from: `block` is the block of `datasets` that is called `dataset`."""

    dataset: str
    block: Mapping

    # What it needs.

    #: The keys of its own in the block, each with its JSON schema; all are required.
    settings: ClassVar[Mapping[str, Mapping]] = {}
    #: Keys of other sources that may stand in the block all the same.
    tolerated: ClassVar[tuple[str, ...]] = ()

    @property
    def content(self) -> dict:
        """What of the block decides the clips and their features; a data set is made anew if it changes."""
        common = {key: self.block[key] for key in ("devices", "features")}
        return {"source": self.block["source"], **self.own_content, **common}

    @property
    def own_content(self) -> dict:
        """What of `settings` decides the clips: all of it, unless a source knows better."""
        return {key: self.block[key] for key in self.settings}

    def problems(self, config: Mapping) -> Iterable[tuple[tuple, str]]:
        """What is wrong with the settings that a schema cannot say: the keys in the configuration, and a sentence."""
        return ()

    # What it holds.

    #: Whether rules of the source (workflow/rules/sources/<name>.smk) make `table`, `lists` and audio/ in `folder`.
    #: What is not made is the user's, and never touched.
    made: ClassVar[bool] = False
    #: The scripts that numbers go through until the features are there, and the wildcards of those that are several
    #: jobs. list_clips and extract_features have their rules in data.smk and features.smk.
    stages: ClassVar[tuple[str, ...]] = ("list_clips", "extract_features")

    @property
    def jobs(self) -> Mapping[str, list[dict]]:
        """The wildcards of each job of those `stages` that are several jobs."""
        return {}

    @property
    def folder(self) -> str:
        """The folder that the clips' file names begin in."""
        return f"data/{self.dataset}"

    @property
    def table(self) -> str:
        """The file that says which clips there are."""
        return f"{self.folder}/meta.csv"

    @property
    def lists(self) -> str:
        """The folder with the lists of an official split."""
        return f"{self.folder}/evaluation_setup"

    def recordings(self) -> Iterable[Path]:
        """The user's own files that clips are read from: those of which it is noticed if they become others."""
        return files_in_audio(self.folder).values()

    def list_clips(self) -> pandas.DataFrame:
        """The clips of the block's devices, as a table with the columns `clips.COLUMNS` (for the stage list_clips)."""
        raise NotImplementedError

    def path_of(self, filename: str) -> Path:
        """The file that a clip of the table is in."""
        return Path(self.folder) / filename

    def read(self, filename: str, settings: "LogMel") -> "Clip":
        """A clip of the table, read (for the stage extract_features): all of its file, unless a source differs.

        StudyError if it cannot be used. Several processes may call it at once.
        """
        from channel_sparsity.data.audio import read_clip

        return read_clip(self.path_of(filename), settings)

    # What it says of itself.

    #: A sentence for every table, figure and page, if numbers from this source need a warning.
    note: ClassVar[str] = ""
    #: The recordings in a few words, where the report sets them against the paper's.
    title: ClassVar[str] = ""

    @property
    def description(self) -> str:
        """What the data set is, in sentences for the report."""
        return f"The data set {self.dataset} consists of recordings that whoever ran the study brought along."

    @property
    def licence(self) -> str:
        """The terms of the recordings, in sentences for the report and the model cards."""
        return self.block.get(
            "licence",
            "The study does not know the licence of these recordings. Whoever passes on this page, or networks trained "
            "on them, has to know it.",
        )

    @property
    def seed(self) -> int | None:
        """The seed that the clips were made from, if they were made."""
        return None

    @property
    def archives(self) -> Sequence[Mapping]:
        """The archives that the clips came in, each with its `name`, `bytes` and `md5`."""
        return ()

    # What planning asks before anything is read.

    #: Whether clips lie deflated in archives, which takes time to undo.
    deflated: ClassVar[bool] = False

    def extent(self) -> Extent:
        """How many clips and scenes there are, as far as that is known beforehand."""
        clips = self.list_clips()
        return Extent(len(clips), clips["scene"].nunique())

    def first(self, count: int) -> list[str]:
        """The file names of some clips that can be read already, to time it; none where noise has to stand for them."""
        return list(self.list_clips()["filename"][:count])

    def costs(self, audio_s: float, audio_bytes: int, features_bytes: int) -> Costs:
        """What the data set takes; of all clips together: seconds, bytes in 24 bits, and bytes of their features."""
        return Costs()


def class_of(name: str) -> type[DataSource]:
    """The class of a source; StudyError if its file has none.

    The file is imported by its name (and the fingerprint of a rule knows which one), so that a new source touches no
    other.
    """
    module = import_module(f"channel_sparsity.data.sources.{name}")
    if not hasattr(module, "Source"):
        raise StudyError(f"{module.__file__} has no class Source: docs/tutorials/source.md says what it is")
    return module.Source


def source_of(block: Mapping, dataset: str = "") -> DataSource:
    """The source of a block of `datasets`, which is called `dataset` there."""
    return class_of(block["source"])(dataset, block)
