"""Build the pages as a static site in site/html: make docs.

The pages are copied as they lie in the repository, with every file that they link to, so that a link leads to the same
place on a Git host and in the site. MkDocs then builds the copy in its strict mode: a dead link fails.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "site/pages"

#: What stands behind the language of a box is for the tests of the tutorials (tests/workflow/tutorials.py).
ROLE = re.compile(r"^( *```\w+) [^\n]*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s#]+)")


def linked(page: Path) -> set[Path]:
    """The files of the repository that a page links to."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    paths = ((page.parent / target).resolve() for target in targets if "://" not in target)
    return {path for path in paths if path.is_file() and path.is_relative_to(ROOT)}


def copy_pages() -> None:
    """Copy the pages, and what they link to."""
    shutil.rmtree(COPY, ignore_errors=True)
    names = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "config/README.md")
    pages = {ROOT / name for name in names} | set(ROOT.glob("docs/**/*.md"))
    for path in pages.union(*map(linked, pages)):
        copy = COPY / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path in pages:
            copy.write_text(ROLE.sub(r"\1", path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)


if __name__ == "__main__":
    copy_pages()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    if not built.returncode:
        print("The site is in site/html. With search: python -m http.server --directory site/html")
    sys.exit(built.returncode)
