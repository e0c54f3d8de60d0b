"""What the terminal says last: what came out and where, or what failed and why."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from channel_sparsity.bookkeeping.snakemake_internals import failed_jobs, was_stopped
from channel_sparsity.data.clips import SPLIT, read_clips
from channel_sparsity.data.splits import describe
from channel_sparsity.files import read_csv, read_json, sha256


def outcome(results: Path, data: Path, trained: Sequence[Path], pruned: Sequence[Path]) -> str:
    """What lies in the folders of a study and of its data set, in a few lines.

    `trained` and `pruned`: the last file of each trained network and of each pruning curve that the study consists of,
    whether it is there or not.
    """
    lines = []
    if (data / "clips.csv").is_file():
        clips = read_clips(data / "clips.csv")
        described = " (report.md says what is in them)" if (data / "report.md").is_file() else ""
        lines.append(f"{data}: {len(clips):,} clips of {clips['scene'].nunique()} scenes{described}")
        if (results / "split.csv").is_file():
            split = read_csv(results / "split.csv", SPLIT).set_index("filename")["subset"]
            if len(split) == len(clips):
                lines.append(f"  {describe(clips['identifier'], clips['filename'].map(split))}")
    lines += _progress(results, trained, pruned)
    lines += _tables(results, pruned)
    for words, name in (("All on one page", "report.html"), ("Models to take away", "deploy")):
        if (results / name).exists():
            lines.append(f"{words}: {(results / name).resolve()}")
    lines += _earlier_models(results / "deploy")
    return "\n".join(lines)


def unfinished(
    logs: Iterable[Path], folder: Path, results: Path, trained: Sequence[Path], pruned: Sequence[Path]
) -> str:
    """Why a run has ended early, how far the study has come, and how it goes on.

    `logs` and `folder` as in `failures`; `trained` and `pruned` as in `outcome`.
    """
    text = "\n".join(log.read_text(encoding="utf-8") for log in logs)
    why, goes_on = failures(text, folder), "Once that is put right, the"
    if was_stopped(text):
        why, goes_on = "The run was stopped. Jobs under way go on from their last saved state.", "The"
    return "\n".join(
        [why, *_progress(results, trained, pruned), f"{goes_on} same command goes on with what is missing."]
    )


def _progress(results: Path, trained: Sequence[Path], pruned: Sequence[Path]) -> list[str]:
    """How much of a study is there, if any of it is."""
    if not any(file.is_file() for file in trained):
        return []
    return [f"{results}: {_count(trained)} networks trained, {_count(pruned)} pruning curves traced"]


def _count(files: Sequence[Path]) -> str:
    return f"{sum(file.is_file() for file in files)} of {len(files)}"


def _tables(results: Path, pruned: Sequence[Path]) -> list[str]:
    """The correlation of WS and PK for each network and recipe, and where the tables and figures lie."""
    table = results / "tables" / "correlation.csv"
    partial = results / "partial"
    finished = [f"Tables and figures of what is finished: {partial.resolve()}"] if partial.is_dir() else []
    record = table.with_suffix(".json")
    if not (table.is_file() and record.is_file()):
        return finished
    made_from = read_json(record)["made_from"]
    if any(knee.is_file() and sha256(knee) != made_from.get(str(knee)) for knee in pruned):
        said = f"The tables in {results}/tables are of other pruning curves: the target `tables` makes them anew"
        return [said, *finished]
    rows, cells = _rows(table), _rows(table.with_name("cells.csv"))
    excluded = Counter(row["included"] for row in cells)["False"]
    return [
        "Weight Skewness and Prune Knee, Pearson's r (95 % interval):",
        *(f"{row['network']:>14}  {row['recipe']:<22} {_correlation(row)}" for row in rows),
        *([f"  without {excluded} of {len(cells)} cells (tables/cells.html says why)"] if excluded else []),
        *_went_wrong(cells),
        f"Tables to read: {table.parent.resolve()}/*.html",
        *([f"Figures: {results.resolve()}/figures/*.svg"] if (results / "figures").is_dir() else []),
    ]


def _earlier_models(folder: Path) -> list[str]:
    """That models are still there which an earlier choice made, if there are any."""
    table = folder / "models.csv"
    if not table.is_file():
        return []
    chosen = {row["model"] for row in _rows(table) if row["status"] == "chosen"}
    earlier = sorted({file.stem.removesuffix("-int8") for file in folder.glob("*.onnx")} - chosen)
    return [f"  of an earlier choice, and not made again: {', '.join(earlier)} (delete them)"] if earlier else []


def _rows(table: Path) -> list[dict[str, str]]:
    with open(table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _went_wrong(cells: list[dict[str, str]]) -> list[str]:
    """Trainings and curves of which no number is of use, and why; nothing if there are none."""
    said = []
    for row in (row for row in cells if "curve_status" in row):  # tables of earlier versions do not say
        cell = f"    {row['network']}, lambda {row['lam']}, seed {row['seed']}"
        if row["training_status"] != "trained" or not row["ws"]:
            said.append(f"{cell}: {row['reason']}")
        elif row["curve_status"] != "traced":
            said.append(f"{cell}, {row['recipe']}: {row['reason']}")
    return ["  of which went wrong:", *dict.fromkeys(said)] if said else []


def _correlation(row: dict[str, str]) -> str:
    if not row["r"]:
        return f"no r: {row['reason']}"
    interval = f" ({float(row['r_low']):.2f} to {float(row['r_high']):.2f})" if row["r_low"] else ""
    return f"r = {float(row['r']):.2f}{interval}, n = {row['n']}"


def failures(text: str, folder: Path) -> str:
    """The sentence of every job that failed, from the jobs' logs (below `folder`) that the `text` of the run's names.

    A job's own log comes first; behind it, on a cluster, that of the system, which alone knows what has killed a job.
    """
    sentences = []
    for output, (own, *others) in failed_jobs(text):
        if output and (folder / output).exists():
            continue  # another attempt has made it
        if said := _last_error(folder / own):
            sentences.append(said)
        elif said := next(filter(None, (_last_error(folder / other) for other in others)), None):
            sentences.append(f"{said} ({own})")
        else:
            sentences.append(_silent(folder, [own, *others]))
    return "\n".join(dict.fromkeys(sentences))


def _silent(folder: Path, logs: list[str]) -> str:
    """The sentence for a job whose logs (below `folder`) say nothing of an error."""
    written = [log for log in logs if (folder / log).is_file() and (folder / log).stat().st_size]
    if written:
        return f"error: a job was killed, or could not write its log: see {', '.join(written)}"
    return (
        f"error: a job ended before it wrote {logs[0]}: what it printed above says why. Often it had too little memory "
        "to start: free some, lift its limit (`ulimit -v`), or use fewer --cores"
    )


def _last_error(log: Path) -> str | None:
    """The last sentence of a log that says what went wrong, if there is one."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    errors = re.findall(r"error: .*$", text, flags=re.MULTILINE)
    return errors[-1] if errors else None
