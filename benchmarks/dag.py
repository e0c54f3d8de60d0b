"""What Snakemake takes before a job starts: dry runs of the full study, a run with nothing to do, imports of scripts.

    PYTHONPATH=workflow/scripts python benchmarks/dag.py

About three minutes. Nothing is run, only planned: the study that has nothing to do consists of empty files.
"""

import ast
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from measuring import ROOT, Side, in_turn, machine, spread, table, write_section

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import source_of

ROUNDS = 3
SEEDS = "seeds: [1, 2, 3, 4, 5]\n"
READINGS = ROOT / "config" / "readings.yaml"
SCRIPTS = ROOT / "workflow" / "scripts"
HEAVY = ("torch", "librosa", "matplotlib", "seaborn", "scipy.signal", "scipy.stats", "sklearn", "pandas", "h5py")


def snakemake(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run Snakemake on the study of config.yaml, whose data and results lie in the folder; what it prints."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--directory", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def pretend(folder: Path) -> None:
    """Make a finished study of empty files."""
    listed = snakemake(folder, "--summary").splitlines()
    first = next(number for number, line in enumerate(listed) if line.startswith("output_file"))
    for line in listed[first + 1 :]:
        path = folder / line.split("\t")[0]
        if path.suffix == ".zip":  # archives go when they have been read
            continue
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        else:
            path.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    dataset = config["datasets"][config["dataset"]]
    scenes = dataset["expected"]["clips"] // dataset["expected"]["clips_per_scene"]
    logmel = logmel_of(dataset["features"])
    manifest = {
        "clips": dataset["expected"]["clips"],
        "bands": logmel.n_mels,
        "frames": logmel.frames,
        "settings": source_of(dataset).content,
        "clips_per_scene": {f"scene {n}": dataset["expected"]["clips_per_scene"] for n in range(scenes)},
    }
    (folder / "data" / config["dataset"] / "manifest.json").write_text(json.dumps(manifest))
    # What the end of a run says of its tables cannot be said of empty ones.
    snakemake(folder, "--touch", "--quiet", "all", check=False)


def prepare(folder: Path, *arguments: str) -> Callable[[], object]:
    """What runs Snakemake with these arguments."""
    return lambda: snakemake(folder, *arguments)


def prepare_imports(statements: str) -> Callable[[], object]:
    """What starts Python and runs some import statements as a script of the workflow would."""
    return lambda: subprocess.run([sys.executable, "-c", statements], cwd=SCRIPTS, check=True, stdout=subprocess.PIPE)


def imports_of(script: Path) -> str:
    """The import statements of a script, without the rest."""
    body = ast.parse(script.read_text(encoding="utf-8")).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def dry_runs(root: Path) -> str:
    """Dry runs, and a run with nothing to do."""
    new, finished, seeds = root / "new", root / "finished", root / "seeds.yaml"
    seeds.write_text(SEEDS)
    for folder in (new, finished):
        folder.mkdir()
    pretend(finished)
    if "Nothing to be done" not in snakemake(finished, "-n", "--quiet", "rules"):
        raise SystemExit("the study that was to have nothing to do has something to do")
    commands = {
        "Snakemake's own start (`--version`)": (new, "--version"),
        "`-n`, the full study": (new, "-n", "--quiet", "all"),
        "`-n`, five seeds of it": (new, "-n", "--quiet", "all", "--configfile", str(seeds)),
        "`-n`, every reading of pruning in it": (new, "-n", "--quiet", "all", "--configfile", str(READINGS)),
        "`-n`, the full study, nothing to do": (finished, "-n", "--quiet", "all"),
    }
    measured = in_turn({name: Side(prepare, *what, memory_kept=False) for name, what in commands.items()}, ROUNDS)
    rows = [[name, spread(measured.cpu[name]), spread(measured.wall[name])] for name in commands]
    return table(["command", "s of CPU time", "s of wall time"], rows)


def scripts() -> str:
    """What each script imports before it does anything."""
    found = {path.stem: imports_of(path) for path in sorted(SCRIPTS.glob("*.py")) if path.stem != "job"}
    bare = "Python alone"
    sides = {name: Side(prepare_imports, text, memory_kept=True) for name, text in {bare: "", **found}.items()}
    cpu = in_turn(sides, ROUNDS).cpu
    rows = []
    for name, text in found.items():
        tell = f"{text}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules], sep=', ')"
        rows.append([f"`{name}.py`", spread(cpu[name] - cpu[bare]), prepare_imports(tell)().stdout.decode().strip()])
    return table(["script", "s of CPU time to import", "of these heavy ones"], rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_section(
            "The workflow's own time",
            f"{ROUNDS} rounds. The commands and scripts alternate.",
            dry_runs(Path(folder)),
            scripts(),
            machine("snakemake", "torch"),
        )


if __name__ == "__main__":
    main()
