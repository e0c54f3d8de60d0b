"""A study's digests beside the published ones: the same numbers bit for bit, or where they part and probably why.

``results/<study>/digests.txt`` holds the SHA-256 of every file with numbers, stage by stage, in the format of
``sha256sum``; its comments say what they were made with. Publishing a study is copying that file to
``published/<study>.txt``.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from channel_sparsity.files import StudyError, sha256

#: What the comments of a file of digests hold, in this order, and what a difference in it means.
REASONS = {
    "arithmetic": "the arithmetic is {}, not {}",
    "architecture": "the processor is of the architecture {}, not {}",
    "device": "trainings were computed on {}, not on {}",
    "versions": "the versions are {}, not {}",
    "settings": "the settings are others",
    "code": "the code has changed since",
}


class Digests(NamedTuple):
    """`made_with`: a text for each key of `REASONS`. `stages`: by stage, in their order, the SHA-256 of each file."""

    made_with: Mapping[str, str]
    stages: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, made_with: Mapping[str, str], files: Mapping[str, Iterable[str]]) -> "Digests":
        """Of files, stage by stage."""
        return cls(made_with, {stage: {str(file): sha256(file) for file in some} for stage, some in files.items()})

    @classmethod
    def read(cls, path: str | Path) -> "Digests":
        """Read what `text` wrote."""
        made_with, stages = {}, {}
        try:
            for line in Path(path).read_text(encoding="utf-8").splitlines():
                if line.startswith("# stage: "):
                    stage = stages.setdefault(line.removeprefix("# stage: "), {})
                elif line.startswith("# "):
                    key, value = line.removeprefix("# ").split(": ", 1)
                    made_with[key] = value
                else:
                    digest, file = line.split("  ", 1)
                    stage[file] = digest
        except (OSError, ValueError, UnboundLocalError) as error:
            raise StudyError(f"{path} cannot be read as digests ({error}): delete it and run again") from error
        return cls(made_with, stages)

    def text(self) -> str:
        """What ``sha256sum --check`` reads."""
        lines = [f"# {key}: {value}" for key, value in self.made_with.items()]
        for stage, files in self.stages.items():
            lines += [f"# stage: {stage}", *(f"{digest}  {file}" for file, digest in files.items())]
        return "\n".join(lines) + "\n"


def digest_of(content: object) -> str:
    """16 hexadecimal digits of the SHA-256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def is_current(path: str | Path) -> bool:
    """Whether a study's digests are there, and its files are still those that they were taken of."""
    if not Path(path).exists():
        return False
    stages = Digests.read(path).stages
    try:
        return Digests.of({}, stages).stages == stages
    except FileNotFoundError:
        return False


def compared(own: str | Path, published: str | Path) -> str:
    """One sentence: the digests of a study beside those published of one of its name, each in its file."""
    mine, theirs = Digests.read(own), Digests.read(published)
    name = f"published/{Path(published).name}"
    if mine.stages == theirs.stages:
        count = sum(map(len, mine.stages.values()))
        return f"The same numbers as published, bit for bit ({count} files, {name})."
    first = next(
        stage for stage in {**theirs.stages, **mine.stages} if mine.stages.get(stage) != theirs.stages.get(stage)
    )
    here, there = (digests.stages.get(first, {}) for digests in (mine, theirs))
    files = here.keys() | there.keys()
    others, single = sum(here.get(file) != there.get(file) for file in files), len(here.keys() ^ there.keys())
    only = f", {single} of them only here or only there" if single else ""
    return (
        f"Not the numbers that were published ({name}): they differ from the stage `{first}` on ({others} of its "
        f"{len(files)} files{only}). Likely reason: {_reasons(mine.made_with, theirs.made_with)}."
    )


def _reasons(own: Mapping[str, str], published: Mapping[str, str]) -> str:
    """Why two studies may have come to other numbers."""
    found = []
    for key, words in REASONS.items():
        # Of a list, such as that of the versions, only what differs.
        here, there = (made.get(key, "unknown").split(", ") for made in (own, published))
        if here != there:
            parts = (
                ", ".join(each for each in one if each not in other) for one, other in ((here, there), (there, here))
            )
            found.append(words.format(*parts))
    return "; ".join(found) or "none that this study knows of; please report it, with run.json"
