"""What stands on the report, section by section, from a study's tables, figures, curves and settings."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas

from channel_sparsity.analysis import claims, pooling, tables
from channel_sparsity.analysis.plotting import network_labels, recipe_label
from channel_sparsity.configuration import lambdas_of
from channel_sparsity.files import read_json, sha256
from channel_sparsity.report import charts, page, words
from channel_sparsity.report.answer import answer
from channel_sparsity.report.beside import beside
from channel_sparsity.report.dataset import recordings
from channel_sparsity.report.departures import departures
from channel_sparsity.report.rows import claim_rows, excluded_rows
from channel_sparsity.report.versions import versions

#: The sections of the page and what the contents call them.
SECTIONS = {
    "answer": "The answer",
    "asked": "What was asked",
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


def from_tables(folder: Path, configuration: Mapping) -> dict:
    """What the page takes from the tables of a study, in their `folder`."""
    cells = tables.read_table(folder / "cells.csv", tables.CELLS)
    correlation = tables.read_table(folder / "correlation.csv", tables.CORRELATION)
    paper = pandas.read_csv(folder / "paper.csv", keep_default_na=False, na_values={name: [""] for name in _NUMBERS})
    judged = tables.read_table(folder / "claims.csv", claims.COLUMNS)
    pooled = tables.read_table(folder / "pooled.csv", pooling.POOLED)
    return {
        "answer": answer(judged, pooled, correlation, cells),
        "beside": beside(paper, dict(zip(cells["network"], cells["width_scale"], strict=True))),
        "claims": claim_rows(judged),
        "excluded": excluded_rows(cells),
        "sizes": _sizes(cells, configuration),
    }


_NUMBERS = ("ours", "paper", "difference", "ours_low", "ours_high")


def _sizes(cells: pandas.DataFrame, configuration: Mapping) -> dict[str, str]:
    """How large the study is, in words."""
    levels = {len(lambdas_of(configuration, network)) for network in configuration["networks"]}
    seeds = len(configuration["seeds"])
    recipes = [recipe_label(recipe) for recipe in dict.fromkeys(cells["recipe"])]
    return {
        "networks": words.count(len(configuration["networks"]), "network"),
        "names": ", ".join(network_labels(cells).values()),
        "times": f"at {words.listed(map(str, sorted(levels)))} levels of lambda"
        + (f", {seeds} times each" if seeds > 1 else ", once each"),
        "recipes": words.listed(recipes),
        "cells": words.count(len(cells), "cell"),
        "included": str(cells["included"].sum()),
        "margin": f"{100 * configuration['accuracy_margin']:g} points",
    }


def from_curves(folder: Path, curves: Iterable[str], widths: Iterable[str], grid: Sequence[Mapping]) -> dict:
    """The charts and what they show. `curves`, `widths`: a file each point of the `grid` of pruned networks."""
    cells = tables.read_table(folder / "cells.csv", tables.CELLS)
    regression = tables.read_table(folder / "regression.csv", tables.REGRESSION)
    keys = ["recipe", "network", "lam", "seed"]
    files = {tuple(str(point[key]) for key in keys): pair for point, *pair in zip(grid, curves, widths, strict=True)}
    ordered = [files[tuple(map(str, key))] for key in cells[keys].itertuples(index=False)]
    return {
        "content": charts.content(
            cells,
            regression,
            (pandas.read_csv(curve) for curve, _ in ordered),
            (pandas.read_csv(width) for _, width in ordered),
        ),
        "charts": charts.specifications(cells),
    }


def from_configuration(configuration: Mapping, stages: Mapping[str, str], folder: Path) -> dict:
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
        "versions": list(versions().items()),
        "stages": list(stages.items()),
        "configuration": page.pretty({**configuration, "datasets": used}),
        "origin": [
            ("Seeds of initialisation and order of clips", ", ".join(map(str, configuration["seeds"]))),
            ("Seed of the split", str(configuration["split"].get("seed", "none"))),
            ("SHA-256 of tables/cells.csv", sha256(folder / "cells.csv")),
        ],
    }


def data(manifest: Path, split: Path, folder: Path, configuration: Mapping) -> dict:
    """What the page says of the recordings."""
    made, cells = read_json(manifest), tables.read_table(folder / "cells.csv", tables.CELLS)
    return {"data": recordings(configuration, made, pandas.read_csv(split), cells)}
