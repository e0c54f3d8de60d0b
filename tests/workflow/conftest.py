"""A copy of the workflow, which tests may edit, and one finished run of the tiny study in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/workflow/tiny.yaml"
COPIED = ("Snakefile", "config.yaml", "config", "profiles", "workflow", "envs", "docs/analysis-plan.md")
#: The tiny study's data set, and the features of a folder of recordings: its own.
TINY_BLOCK = yaml.safe_load(TINY.read_text())["datasets"]["tiny"]
FOLDER_FEATURES = TINY_BLOCK["features"]
#: A training of the tiny study, and a curve of its network.
TRAIN = "results/tiny/train/vgg11/lambda-0/seed-1"
PRUNE = "results/tiny/prune/slimming/vgg11/lambda-0/seed-1"
#: Rows of the job table that are no work: the targets, and the sum.
MAKE_NOTHING = {
    "all",
    "dataset",
    "estimate",
    "features",
    "checkpoints",
    "propose_lambdas",
    "curves",
    "tables",
    "figures",
    "partial",
    "deploy",
    "report",
    "total",
}


class Study:
    """The workflow in one folder, its data and results in another."""

    def __init__(self, code: Path, work: Path):
        self.code, self.work = code, work

    def snakemake(self, *arguments, configfile=TINY, changes=None, env=None, check=True):
        """Run Snakemake as a user would; return what it says on the terminal."""
        # Targets come first: --configfile and --config take all that follows them for their own.
        command = [sys.executable, "-m", "snakemake", *map(str, arguments), "--directory", str(self.work)]
        if "--cores" not in arguments:
            command += ["--cores", "2"]
        files = [configfile] if configfile else []
        if changes:
            # Snakemake takes numbers inside --config for text, so changes travel in a file.
            files.append(self.work.parent / "changes.yaml")
            files[-1].write_text(yaml.safe_dump(changes))
        if files:
            command += ["--configfile", *map(str, files)]
        done = subprocess.run(
            command,
            cwd=self.code,
            env={**(os.environ if env is None else env), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=600,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def planned(self, *arguments, **options):
        """How many jobs of each rule Snakemake would run, but for targets, which make nothing."""
        said = self.snakemake(*arguments, "-n", "--quiet", "rules", **options)
        text = said.stdout + said.stderr
        if "Nothing to be done" in text:
            return {}
        rows = text.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]
        counts = {row.split()[0]: int(row.split()[1]) for row in rows if len(row.split()) == 2}
        return {rule: count for rule, count in counts.items() if rule not in MAKE_NOTHING}

    def edit(self, name, old, new):
        """Replace a piece of the workflow's code."""
        path = self.code / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} must be in {name} once"
        path.write_text(text.replace(old, new))

    def files(self, *folders):
        """Every file below `folders` of the work folder, but for logs, with its bytes."""
        return {
            path.relative_to(self.work): path.read_bytes()
            for folder in folders
            for path in sorted((self.work / folder).rglob("*"))
            if path.is_file() and path.suffix != ".log"
        }


def errors(done):
    """The sentences of a failed run."""
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return set(re.findall(r"^error: .*$", text, flags=re.MULTILINE))


def copy_of_the_workflow(folder: Path) -> Path:
    """The files of the repository that a run needs."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """The tiny study, run from end to end once for all of pytest's processes; tests must not change it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "finished"
    study = Study(folder / "code", folder / "work")
    said = folder / "said.json"
    with FileLock(f"{folder}.lock"):
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a run that failed
            copy_of_the_workflow(study.code)
            study.work.mkdir()
            done = study.snakemake()
            said.write_text(json.dumps([done.stdout, done.stderr]))
    study.stdout, study.stderr = json.loads(said.read_text())
    return study


@pytest.fixture
def study(finished, tmp_path):
    """A finished study of the test's own, to edit, break and run again."""
    shutil.copytree(finished.work, tmp_path / "work", symlinks=True)
    return Study(copy_of_the_workflow(tmp_path / "code"), tmp_path / "work")


@pytest.fixture
def fresh(tmp_path):
    """The workflow and an empty folder to run it in."""
    (tmp_path / "work").mkdir()
    return Study(copy_of_the_workflow(tmp_path / "code"), tmp_path / "work")
