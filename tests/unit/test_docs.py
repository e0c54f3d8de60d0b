"""The pages: every relative link and anchor leads somewhere, and the README stays short."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy
import pandas
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")]
    + list(ROOT.glob("docs/**/*.md"))
)

FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
#: The target of a link or an image, and of a definition of a link.
TARGET = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def targets(text: str) -> list[str]:
    """Where a page leads to: the targets of its links and images, code left out."""
    prose = CODE.sub("", FENCE.sub("", text))
    return [inline or defined for inline, defined in TARGET.findall(prose)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    found: dict[str, int] = {}
    names = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names


def dead(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    found = []
    for target in targets(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        exists = there.is_file()
        known = not anchor or (exists and there.suffix == ".md" and anchor in anchors(there.read_text("utf-8")))
        if not (exists and known):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    assert dead(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_leaves_the_repository(page):
    paths = [target.partition("#")[0] for target in targets(page.read_text(encoding="utf-8"))]
    relative = [path for path in paths if path and not re.match(r"[a-z][a-z0-9+.-]*:", path)]
    assert all((page.parent / path).resolve().is_relative_to(ROOT) for path in relative)


#: A file of the repository, or a module of the library, as pages name them in prose; not a pattern of several.
NAMED = re.compile(
    r"`((?:workflow|profiles|config|tests|benchmarks|envs|published)/[\w/.-]+|channel_sparsity[/.][\w/.]+)`"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_and_module_that_a_page_names_is_there(page):
    """Not what a tutorial makes, which its boxes name."""
    text = page.read_text(encoding="utf-8")
    made = re.findall(r"^```\w+ file=(\S+)$", text, re.MULTILINE)
    scripts = ROOT / "workflow/scripts"
    absent = [
        name
        for name in set(NAMED.findall(FENCE.sub("", text))) - set(made)
        if not any((folder / name).exists() for folder in (ROOT, scripts))
        and not (scripts / name.replace(".", "/")).is_dir()
        and not (scripts / f"{name.replace('.', '/')}.py").is_file()
    ]
    assert absent == []


def test_dead_links_are_seen(tmp_path):
    (tmp_path / "there.md").write_text("# A heading, *set*\n\n```sh\n# no heading\n```\n## Twice\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-set) [c](there.md#twice-1) [d](https://example.org/x) `[e](nowhere.md)`\n"
        "[f](nowhere.md) [g](there.md#no-heading) ![h](nothing.png) [i](#own)\n\n```md\n[j](nowhere.md)\n```\n"
    )
    assert dead(page) == ["nowhere.md", "there.md#no-heading", "nothing.png", "#own"]


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_the_site_is_locked_and_has_an_environment_of_its_own(tmp_path):
    lock = (ROOT / "envs/docs.txt").read_text(encoding="utf-8")
    asked = [line for line in (ROOT / "envs/docs.in").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert all(f"\n{re.match(r'[a-z-]+', line)[0]}==" in f"\n{lock}" for line in asked)

    set_up = runpy.run_path(str(ROOT / "envs/set_up.py"))
    made_from = {name: set_up["made_from"]([ROOT / "envs" / name]) for name in ("docs.txt", "requirements.txt")}
    command = [sys.executable, ROOT / "envs/set_up.py", "--lock", "docs.txt", tmp_path / "link"]
    (tmp_path / "made").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "made")
    for name, code in (("docs.txt", 0), ("requirements.txt", 1)):
        (tmp_path / "made" / set_up["MADE_FROM"]).write_text(made_from[name])
        assert subprocess.run(command, capture_output=True).returncode == code, name


def test_a_published_page_calls_random_order_the_control_and_nothing_else():
    publish = runpy.run_path(str(ROOT / "docs/publish.py"))
    compared = pandas.read_csv(ROOT / "docs/evidence/demo/outcomes.csv").assign(gain=None, verdict="undecided")
    heads, kinds, *rows = publish["doses"](compared.astype({"gain": float})).splitlines()
    assert {row.split(" | ")[-1]: row.startswith("| random") for row in rows} == {
        "undecided |": False,
        "the control |": True,
    }
    assert heads.endswith("verdict |") and kinds.endswith("---: | --- |"), "numbers to the right, words to the left"


def test_a_published_page_says_what_the_gain_would_be_if_every_lambda_counted():
    """The same computation gives the published gain where only those count that do. Slopes by numpy."""
    publish = runpy.run_path(str(ROOT / "docs/publish.py"))
    folder = ROOT / "docs/evidence/esc10-twelve"
    cells = publish["tables"].read_table(folder / "cells.csv", publish["tables"].CELLS)
    both, names = publish["gained"](cells), publish["network_labels"](cells)

    def mean_gain(rows):
        points = rows.groupby(["network", "lam"])[["ws", "gain"]].mean().reset_index()
        return points.groupby("network").apply(lambda own: numpy.polyfit(own["ws"], own["gain"], 1)[0]).mean()

    compared = pandas.read_csv(folder / "outcomes.csv").query("outcome == 'mean_accuracy' and scope == 'all'")
    published = compared.query("criterion == 'slimming' and repair == 'statistics'")["gain"].item()
    assert mean_gain(both[both["within_limit"]]) == pytest.approx(published)
    assert f"the mean gain would be {100 * mean_gain(both):.1f} (" in publish["without_limit"](cells, names)
    assert publish["without_limit"](cells[cells["within_limit"]], names) == ""


@pytest.mark.parametrize("study", ["esc10-seeds", "esc10-even"])
def test_the_readme_quotes_the_published_answer_as_it_is(study):
    said = runpy.run_path(str(ROOT / "docs/publish.py"))["said_by"](ROOT / "docs/evidence" / study)
    words = " ".join((ROOT / "README.md").read_text(encoding="utf-8").replace("\n> ", " ").split())
    assert f"**{said.verdict}.** {said.sentence}" in words
