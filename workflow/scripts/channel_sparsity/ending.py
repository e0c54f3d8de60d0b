"""What the terminal says last: what came out and where, or what failed and why."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path


def outcome(results: Path) -> str:
    """The correlation of WS and PK for each network and recipe, and where the tables and figures lie.

    Empty if there is no table below `results` (a run of single targets, say).
    """
    table = results / "tables" / "correlation.csv"
    if not table.is_file():
        return ""
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [f"{row['network']:>14}  {row['recipe']:<22} {_correlation(row)}" for row in rows]
    return "\n".join(
        [
            "Weight Skewness and Prune Knee, Pearson's r (95 % interval):",
            *lines,
            *_went_wrong(results / "tables" / "cells.csv"),
            f"Tables to read: {results}/tables/*.html; figures: {results}/figures/*.svg",
        ]
    )


def _went_wrong(cells: Path) -> list[str]:
    """Trainings and curves of which no number is of use, and why; nothing if there are none."""
    said = []
    with open(cells, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cell = f"  {row['network']}, lambda {row['lam']}, seed {row['seed']}"
            if row["training_status"] != "trained" or not row["ws"]:
                said.append(f"{cell}: {row['reason']}")
            elif row["curve_status"] != "traced":
                said.append(f"{cell}, {row['recipe']}: {row['reason']}")
    return ["Went wrong, and is left out of the statistics:", *dict.fromkeys(said)] if said else []


def _correlation(row: dict[str, str]) -> str:
    if not row["r"]:
        return f"no r: {row['reason']}"
    interval = f" ({float(row['r_low']):.2f} to {float(row['r_high']):.2f})" if row["r_low"] else ""
    return f"r = {float(row['r']):.2f}{interval}, n = {row['n']}"


def failures(logs: Iterable[Path], folder: Path) -> str:
    """The sentence of every job that failed, from the jobs' logs (below `folder`) that Snakemake's `logs` name."""
    text = "\n".join(log.read_text(encoding="utf-8") for log in logs)
    named = re.findall(r"^ *log: (\S+) \(check log file", text, flags=re.MULTILINE)
    sentences = []
    for name in dict.fromkeys(named):
        path = folder / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        errors = re.findall(r"error: .*$", text, flags=re.MULTILINE)
        sentences.append(errors[-1] if errors else f"error: a job ended without a word: see {name}")
    return "\n".join(dict.fromkeys(sentences))
