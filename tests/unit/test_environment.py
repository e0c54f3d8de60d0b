"""The lock, its conda form and what is installed say the same."""

import re
import runpy
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ENVS = Path(__file__).parents[2] / "envs"
CONDA = yaml.safe_load((ENVS / "environment.yaml").read_text())
PINS = [Requirement(pin) for pin in next(each["pip"] for each in CONDA["dependencies"] if isinstance(each, dict))]


def test_the_conda_file_is_made_from_the_lock():
    assert runpy.run_path(str(ENVS / "conda.py"))["page"]() == (ENVS / "environment.yaml").read_text()


@pytest.mark.parametrize("name", ["torch.in", "requirements.in"])
def test_everything_asked_for_is_locked(name):
    asked = [Requirement(line) for line in (ENVS / name).read_text().splitlines() if line and line[0] != "#"]
    assert {each.name for each in asked} <= {pin.name for pin in PINS}


def test_this_environment_is_the_locked_one():
    here = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate()]
    wrong = {pin.name: version(pin.name) for pin in here if not pin.specifier.contains(version(pin.name).split("+")[0])}
    assert wrong == {}


def test_every_pin_has_a_hash():
    for name in ("torch.txt", "requirements.txt", "docs.txt"):
        blocks = re.split(r"^(?=[a-z0-9])", (ENVS / name).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_the_package_says_its_version_once():
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ENVS.parent / "CITATION.cff").read_text())
    assert project["version"] == citation["version"]


def test_every_rule_that_computes_names_the_conda_file():
    for path in sorted((ENVS.parent / "workflow/rules").rglob("*.smk")):
        rules = re.split(r"^ *(?:rule|checkpoint)(?: \w+)?:$", path.read_text(), flags=re.MULTILINE)
        assert all(rule.count("script:") <= 1 for rule in rules), path
        for rule in rules:
            if "script:" in rule:
                named = re.search(r'conda:\s+"(.+)"', rule)
                assert named and (path.parent / named.group(1)).resolve() == ENVS / "environment.yaml", rule


def test_the_conda_file_lets_nothing_else_choose_versions():
    *names, pip = CONDA["dependencies"]
    assert names == ["python =3.11", "pip"] and list(pip) == ["pip"]
    assert all(re.fullmatch(r"==[0-9.]+(post[0-9]+)?", str(pin.specifier)) for pin in PINS)
