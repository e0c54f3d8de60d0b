"""Publish the demo as it came out here: its digests, its numbers and its figure.

    make demo && PYTHONPATH=workflow/scripts python docs/publish_demo.py [results/demo]

Writes published/demo.txt, docs/demo-results.md and docs/demo.png.
"""

import shutil
import sys
from pathlib import Path

import pandas

from channel_sparsity.files import read_json, sha256, write_text
from channel_sparsity.published import Digests

ROOT = Path(__file__).parents[1]

HEAD = """# What the demo shows

Made from the tables of a run of `make demo` by `docs/publish_demo.py`; do not edit. [demo.md](demo.md) says what the
demo is for. The scenes are synthetic and each network was trained once: nothing here is a finding.

"""


def percent(share: float) -> str:
    """A share, in percent."""
    return f"{100 * share:.0f} %"


def rows(cells: pandas.DataFrame) -> list[str]:
    """A line of the table for each pruned network."""
    lines = [
        "| network | recipe | lambda | WS | accuracy | PK | loss at PK, points |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for cell in cells.itertuples():
        knee = ("none", "") if pandas.isna(cell.pk) else (percent(cell.pk), f"{100 * cell.accuracy_loss_at_pk:.1f}")
        parts = (cell.network, cell.recipe, cell.lam, f"{cell.ws:.2f}", percent(cell.accuracy), *knee)
        lines.append(f"| {' | '.join(parts)} |")
    return lines


def correlations(table: pandas.DataFrame) -> list[str]:
    """A line for each network and recipe."""
    lines = ["| network | recipe | r of WS and PK (95 % interval) | lambdas |", "|---|---|---:|---:|"]
    for row in table.itertuples():
        interval = f"{row.r:.2f} ({row.r_low:.2f} to {row.r_high:.2f})" if pandas.notna(row.r_low) else "none"
        lines.append(f"| {row.network} | {row.recipe} | {interval} | {row.n} |")
    return lines


def page(results: Path) -> str:
    """The text of docs/demo-results.md."""
    cells = pandas.read_csv(results / "tables/cells.csv", dtype={"lam": str})
    correlation = pandas.read_csv(results / "tables/correlation.csv")
    made_with, run = Digests.read(results / "digests.txt").made_with, read_json(results / "run.json")
    seeds = ", ".join(map(str, sorted(cells["seed"].unique())))
    commit = (run["git"] or {"commit": "unknown"})["commit"][:12]
    origin = (
        f"Seed {seeds}; {made_with['arithmetic']} arithmetic; {made_with['versions']}; run on {run['machine']['cpu']} "
        f"({run['machine']['instruction_set']}), {run['ended'][:10]}, commit {commit}. "
        f"SHA-256 of `tables/cells.csv`: `{sha256(results / 'tables/cells.csv')}`."
    )
    return HEAD + "\n\n".join(["\n".join(rows(cells)), "\n".join(correlations(correlation)), origin]) + "\n"


if __name__ == "__main__":
    results = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "results/demo")
    write_text(ROOT / "docs/demo-results.md", page(results))
    (ROOT / "published").mkdir(exist_ok=True)
    shutil.copyfile(results / "digests.txt", ROOT / "published/demo.txt")
    shutil.copyfile(results / "figures/ws_vs_pk.png", ROOT / "docs/demo.png")
