"""Where the demo's minutes go, and what the estimate of it says.

    PYTHONPATH=workflow/scripts python benchmarks/demo.py [FOLDER]

Ten minutes on a quiet machine; with the folder of a finished demo (with its .snakemake), only the estimate is made.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas
from measuring import ROOT, machine, rounded, table, write_section
from run_logs import jobs_of, stages_of

CORES = 2
DEMO = ROOT / "config" / "demo.yaml"


def snakemake(folder: Path, target: str) -> None:
    """Make something of the demo in a folder, on two cores."""
    command = [sys.executable, "-m", "snakemake", target, "--cores", str(CORES), "--directory", str(folder)]
    subprocess.run([*command, "--configfile", str(DEMO)], cwd=ROOT, check=True)


def log_of(folder: Path) -> Path:
    """The log of the run that did most."""
    return max((folder / ".snakemake" / "log").glob("*.log"), key=lambda path: path.stat().st_size)


def describe(stages: pandas.DataFrame) -> str:
    """The stages of a run, and how busy the cores were."""
    wall, busy = stages["last_s"].max(), stages["seconds"].sum()
    rows = [
        [f"`{stage.rule}`", stage.jobs, rounded(stage.seconds), rounded(stage.seconds / stage.jobs), f"{share:.0%}"]
        for stage, share in zip(stages.itertuples(), stages["seconds"] / busy, strict=True)
    ]
    header = ["stage", "jobs", "s of all jobs", "s a job", "share"]
    # A stage on all cores keeps them all busy.
    alone = stages.loc[stages["rule"].isin(["synthesise_scenes", "extract_features"]), "seconds"].sum()
    return (
        f"From the first job to the last: {wall / 60:.1f} minutes of wall time on {CORES} cores, which had a job "
        f"{(busy + (CORES - 1) * alone) / (CORES * wall):.0%} of the time.\n\n{table(header, rows)}"
    )


def compare(stages: pandas.DataFrame, estimated: Path) -> str:
    """The estimate beside what the run took."""
    taken = stages.set_index("rule")["seconds"]
    rules = {
        "training": ["train_network", "measure_sparsity"],
        "curves": ["prune_network", "find_knee"],
        "data": ["synthesise_scenes", "extract_features"],
    }
    plan = pandas.read_csv(estimated / "estimate.csv")
    whole = json.loads((estimated / "estimate.json").read_text(encoding="utf-8"))
    pairs = {
        name: (taken[some].sum() * (CORES if name == "data" else 1), plan["hours"][plan["stage"].str.startswith(name)])
        for name, some in rules.items()
    }
    rows = [[f"{name}, s of one core", measured, 3600 * hours.sum()] for name, (measured, hours) in pairs.items()]
    rows.append([f"all, s on {CORES} cores", stages["last_s"].max(), 3600 * whole["wall_hours"]])
    return table(
        ["", "measured", "estimated", "error"],
        [[name, rounded(measured), rounded(said), f"{said / measured - 1:+.0%}"] for name, measured, said in rows],
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        if len(sys.argv) == 1:
            snakemake(made, "all")
        snakemake(Path(temporary) / "estimate", "estimate")
        stages = stages_of(jobs_of(log_of(made)))
        write_section(
            "The demo",
            describe(stages),
            "Compared with the estimate (`snakemake estimate`):",
            compare(stages, Path(temporary) / "estimate/results/demo"),
            machine("snakemake", "torch"),
        )


if __name__ == "__main__":
    main()
