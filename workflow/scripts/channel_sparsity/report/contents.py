"""What stands on the report, section by section, from a study's tables, figures, curves and settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas
from markupsafe import Markup

from channel_sparsity import words
from channel_sparsity.bookkeeping.published import Digests, compared
from channel_sparsity.claims import claims, paper
from channel_sparsity.claims.paper import METHODS
from channel_sparsity.configuration import lambdas_of
from channel_sparsity.data.clips import SPLIT
from channel_sparsity.figures.style import network_labels, recipe_label
from channel_sparsity.files import read_csv, read_json, sha256
from channel_sparsity.machine import versions
from channel_sparsity.report import charts, page
from channel_sparsity.report.answer import answer, dose_of_claims
from channel_sparsity.report.beside import beside
from channel_sparsity.report.cost import cost
from channel_sparsity.report.dataset import recordings
from channel_sparsity.report.departures import departures
from channel_sparsity.report.pages import PAGES, bounded, markup
from channel_sparsity.tables import outcomes
from channel_sparsity.tables import study as tables

#: The sections of the page and what the contents call them.
SECTIONS = {
    "answer": "The answer",
    "data": "The recordings",
    "explore": "Cell by cell",
    "figures": "Figures",
    "paper": "The paper's tables",
    "claims": "The paper's claims",
    "excluded": "Excluded cells",
    "readings": "Other than the paper",
    "cost": "What it cost",
    "tables": "All tables",
    "provenance": "Where it comes from",
}


#: Packages that a number or a picture of the study may depend on.
PACKAGES = (
    *("snakemake", "torch", "numpy", "scipy", "pandas", "scikit-learn", "kneed", "soundfile", "soxr", "h5py"),
    *("safetensors", "matplotlib", "seaborn", "vl-convert-python"),
)


#: Where the same files, settings and code give the same bytes, by the arithmetic.
_ALIKE = {
    "portable": "on every x86-64 processor with AVX2 (portable arithmetic)",
    "native": "on one kind of processor (native arithmetic)",
}


@dataclass(frozen=True)
class Sources:
    """The files of a study that its page is made from.

    tables: every table's CSV, in the order of the page; figures: as SVG. curves, widths,
    prunings (their timings): a file each point of `grid`, the pruned networks. trainings: timings. manifest, split: of
    the data. digests: of all numbers; published: those that were published of a study of this name, if any were.
    """

    tables: Sequence[Path]
    figures: Sequence[Path]
    curves: Sequence[Path]
    widths: Sequence[Path]
    prunings: Sequence[Path]
    trainings: Sequence[Path]
    manifest: Path
    split: Path
    digests: Path
    published: Path | None
    grid: Sequence[Mapping]


def contents(sources: Sources, configuration: Mapping, stages: Mapping[str, str], captions: Path) -> dict[str, object]:
    """Everything that ``report.html`` names. `stages`: fingerprints. `captions`: the folder of the figures' texts."""
    folder = sources.tables[0].parent
    cells = tables.read_table(folder / "cells.csv", tables.CELLS)
    device = Digests.read(sources.digests).made_with["device"]
    return {
        **_from_configuration(configuration, stages, folder),
        "gpu": "" if device == "cpu" else device,
        "alike": _ALIKE[configuration["arithmetic"]] if device == "cpu" else f"on the same kind of device ({device})",
        **_from_tables(folder, cells, configuration),
        "content": _to_explore(sources, cells),
        "data": recordings(configuration, read_json(sources.manifest), read_csv(sources.split, SPLIT), cells),
        "cost": _cost(sources),
        "same": compared(sources.digests, sources.published) if sources.published else "",
        "figures": [page.figure(path, (captions / f"{path.stem}.rst").read_text("utf-8")) for path in sources.figures],
        "tables": [(path.stem, PAGES[path.stem], PAGES[path.stem].read(path)) for path in sources.tables],
    }


def _from_tables(folder: Path, cells: pandas.DataFrame, configuration: Mapping) -> dict:
    """What the page says after the tables."""
    published = tables.read_table(folder / "paper.csv", paper.COLUMNS)
    judged = tables.read_table(folder / "claims.csv", claims.COLUMNS)
    compared = tables.read_table(folder / "outcomes.csv", outcomes.COLUMNS)
    rows = [_claim(row) for row in judged.to_dict("records")]
    return {
        "answer": answer(compared, judged),
        "beside": beside(published, dict(zip(cells["network"], cells["width_scale"], strict=True))),
        "claims": [row for row in rows if row["ours"]],
        "dose": dose_of_claims(cells),
        "unjudged": [row for row in rows if not row["ours"]],
        "excluded": _excluded(cells),
        "sizes": _sizes(cells, configuration),
    }


def _claim(row: Mapping) -> dict:
    """A row of ``claims.csv`` with its number and interval as text (`ours`, empty if there is none)."""
    ours = "" if pandas.isna(row["estimate"]) else bounded(row, "estimate", "{:.3f}".format)
    return {**row, "by": METHODS.get(row["recipe"], row["recipe"]), "ours": ours}


def _excluded(cells: pandas.DataFrame) -> Markup:
    """The cells that do not count, and why; empty if there is none."""
    columns = ["network", "width_scale", "recipe", "lam", "seed", "accuracy", "ws", "pk", "pk_low", "pk_high", "reason"]
    rows = cells.loc[~cells["included"], columns]
    return markup(rows) if len(rows) else Markup()


def _sizes(cells: pandas.DataFrame, configuration: Mapping) -> dict[str, str]:
    """How large the study is, in words."""
    levels = {len(lambdas_of(configuration, network)) for network in configuration["networks"]}
    seeds = len(configuration["seeds"])
    recipes = [recipe_label(recipe) for recipe in dict.fromkeys(cells["recipe"])]
    return {
        "networks": words.count(len(configuration["networks"]), "network"),
        "names": ", ".join(network_labels(cells).values()),
        "times": f"at {words.listed(map(str, sorted(levels)))} level{'s' * (levels != {1})} of lambda"
        + (f", {seeds} times each" if seeds > 1 else ", once each"),
        "recipes": words.listed(recipes),
        "cells": words.count(len(cells), "cell"),
        "included": str(cells["included"].sum()),
        "excluded": str((~cells["included"]).sum()),
        "axis": "channels" if configuration["knee"]["axis"] == "channels" else "parameters",
        "margin": f"{100 * configuration['accuracy_margin']:g} points",
    }


def _to_explore(sources: Sources, cells: pandas.DataFrame) -> dict:
    """The charts and what they show, in the order of `cells`."""
    regression = tables.read_table(sources.tables[0].parent / "regression.csv", tables.REGRESSION)
    keys = ["recipe", "network", "lam", "seed"]
    pairs = zip(sources.grid, sources.curves, sources.widths, strict=True)
    files = {tuple(str(point[key]) for key in keys): pair for point, *pair in pairs}
    ordered = [files[tuple(map(str, key))] for key in cells[keys].itertuples(index=False)]
    curves = (read_csv(curve) for curve, _ in ordered)
    widths = (read_csv(width) for _, width in ordered)
    content = charts.content(cells, regression, curves, widths)
    # The names once: of a thousand cells they are 150 kB.
    rows = [list(cell.values()) for cell in content["cells"]]
    content["cells"] = {"names": list(content["cells"][0]) if rows else [], "rows": rows}
    return {"content": content, "charts": charts.specifications(cells)}


def _cost(sources: Sources) -> list[list[str]]:
    prunings = {}
    for point, path in zip(sources.grid, sources.prunings, strict=True):
        prunings.setdefault(point["recipe"], []).append(path)
    return cost(sources.trainings, prunings)


def _from_configuration(configuration: Mapping, stages: Mapping[str, str], folder: Path) -> dict:
    """Departures from the paper, and where the numbers come from. `folder`: that of the tables."""
    differing, agreeing = departures(configuration)
    used = {configuration["dataset"]: configuration["datasets"][configuration["dataset"]]}
    return {
        "title": f"Weight Skewness and Prune Knee: study {configuration['study']}",
        "study": configuration["study"],
        "dataset": configuration["dataset"],
        "contents": list(SECTIONS.items()),
        "departures": differing,
        "agreeing": agreeing,
        "threads": words.count(configuration["training"]["threads"], "thread"),
        "versions": list(versions(PACKAGES).items()),
        "stages": list(stages.items()),
        "configuration": json.dumps({**configuration, "datasets": used}, indent=2, ensure_ascii=False),
        "origin": [
            ("Seeds of initialisation and order of clips", ", ".join(map(str, configuration["seeds"]))),
            ("Seed of the split", str(configuration["split"].get("seed", "none"))),
            ("SHA-256 of tables/cells.csv", sha256(folder / "cells.csv")),
        ],
    }
