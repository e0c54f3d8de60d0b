"""The boxes of a tutorial, and how a test does what they ask of a reader.

What stands behind the language of a box says what it is: ``file=PATH`` is written there; ``line=PATH`` goes into the
first dictionary of that file; ``run`` is a program; commands are to succeed, unless they are marked ``fails``;
``whole-study`` takes longer, ``manual`` needs what no test has. A box of text is what the commands before it said,
``...`` being anything.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BOX = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Box(NamedTuple):
    """A fenced block: its language, what stands behind that, and its lines."""

    language: str
    role: str
    text: str


def boxes(page: Path) -> Iterator[Box]:
    """The boxes of a page, in order."""
    for language, role, text in BOX.findall(page.read_text(encoding="utf-8")):
        yield Box(language, role, text)


class Reader:
    """Who follows a tutorial in `folder`, a clone of the repository; in a hurry Snakemake only plans."""

    def __init__(self, folder: Path, hurry: bool, replacements: dict[str, str]):
        self.folder, self.hurry, self.replacements = folder, hurry, replacements
        self.said = ""

    def follow(self, box: Box) -> None:
        """Do what a box asks for, or compare what it says."""
        kind, _, path = box.role.partition("=")
        if kind == "file":
            (self.folder / path).write_text(box.text, encoding="utf-8")
        elif kind == "line":
            text = (self.folder / path).read_text(encoding="utf-8")
            (self.folder / path).write_text(text.replace("\n}\n", f"\n{box.text}}}\n", 1), encoding="utf-8")
        elif box.language == "python":
            self._run([sys.executable, "-c", box.text])
        elif box.language == "sh" and kind != "manual" and not (self.hurry and kind):
            self._run(["bash", "-euo", "pipefail", "-c", self._command(box.text)], fails=kind == "fails")
        elif box.language == "text" and not self.hurry:
            for line in box.text.splitlines():
                pattern = re.escape(line).replace(r"\.\.\.", ".*")
                assert re.search(f"^{pattern}$", self.said, re.MULTILINE), f"{line!r} is not in:\n{self.said}"

    def _command(self, text: str) -> str:
        for old, new in self.replacements.items():
            text = text.replace(old, new)
        return re.sub(r"^snakemake", "snakemake -n --quiet rules", text, flags=re.MULTILINE) if self.hurry else text

    def _run(self, command: list[str], fails: bool = False) -> None:
        folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PATH": os.pathsep.join(folders), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=1800,
        )
        self.said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, self.said
