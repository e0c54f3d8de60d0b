"""What the Snakemake workflow catalogue asks for, as far as it is a matter of files."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_catalogue_finds_its_files():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment"}
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "Snakefile").is_file() and list((ROOT / "workflow/rules").glob("*.smk"))


def test_the_overlays_that_the_page_on_configuration_names_are_there():
    """An overlay of your own need not be among them."""
    named = re.findall(r"`([\w*/-]+\.yaml)`", (ROOT / "config/README.md").read_text())
    assert "demo.yaml" in named and "beside/*.yaml" in named
    there = {name for name in named if any((ROOT / folder).glob(name) for folder in (".", "config"))}
    assert there == set(named)
