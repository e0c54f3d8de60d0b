"""What `pip install` takes along."""

import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[2]


def test_every_room_of_the_library_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    (where,) = settings["where"]
    installed = set(find_packages(str(ROOT / where), include=settings["include"]))
    rooms = {path.parent for path in (ROOT / where / "channel_sparsity").rglob("*.py")}
    assert installed == {".".join(room.relative_to(ROOT / where).parts) for room in rooms}
