"""What `pip install` takes along."""

import re
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


def test_a_package_uses_only_those_above_it_on_the_page_on_architecture():
    """But for `report`, which asks `bookkeeping` what was published."""
    page = (ROOT / "docs/background/architecture.md").read_text(encoding="utf-8")
    order = [name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    library = ROOT / "workflow/scripts/channel_sparsity"
    assert set(order) == {path.parent.name for path in library.glob("*/__init__.py")}
    upwards = {
        (package, used)
        for package in order
        for path in (library / package).rglob("*.py")
        for used in re.findall(r"^ *from channel_sparsity\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if used in order and order.index(used) > order.index(package)
    }
    assert upwards == {("report", "bookkeeping")}
