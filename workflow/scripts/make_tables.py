"""The study's tables: cells, how PK follows WS in them, and the paper's numbers and claims beside ours."""

import logging

from channel_sparsity.claims.claims import claims
from channel_sparsity.claims.paper import beside_paper
from channel_sparsity.claims.plan import at_the_papers_dose
from channel_sparsity.files import read_csv, read_json
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.comparisons import comparisons
from channel_sparsity.tables.saving import origin, write_table
from job import job

#: The title of each page, and what its reader has to know.
PAGES = {
    "cells": (
        "Every pruned network",
        "The interval of PK: validation locations resampled, the network as it is. Loss on other clips: PK placed by "
        "half of the locations, its loss read from the other half.",
    ),
    "correlation": (
        "Correlation of Weight Skewness and Prune Knee",
        "Each lambda is a point, the mean over its seeds. Intervals are Fisher's; from three seeds on, the wider of "
        "that and of the seeds resampled within lambdas.",
    ),
    "regression": (
        "Linear regression of Prune Knee on Weight Skewness",
        "Each lambda is a point, the mean over its seeds. Intervals are Student's; from three seeds on, the wider of "
        "that and of the seeds resampled within lambdas.",
    ),
    "comparisons": (
        "Recipes in pairs",
        "The first recipe less the other, on the cells that both have. Equivalent: the interval lies within the margin "
        "on both sides. Different: it excludes 0 and leaves the margin. Undecided: neither.",
    ),
    "paper": ("The paper's numbers beside ours", "What the study has a counterpart of comes first."),
    "claims": (
        "The paper's claims",
        "Undecided: the interval does not settle it, or cells are missing. The last verdict is of the same test on the "
        "numbers that the paper prints, with six points a network, which is assumed; empty where they do not suffice.",
    ),
}


def key(cell):
    """What tells a trained network from the others."""
    return cell["network"], cell["lam"], cell["seed"]


with job(snakemake):
    params, files = snakemake.params, snakemake.input
    trained = {
        key(cell): {"metrics": read_json(metrics), "sparsity": read_json(sparsity)}
        for cell, metrics, sparsity in zip(params.cells, files.metrics, files.sparsity, strict=True)
    }
    records = [
        {**cell, **trained[key(cell)], "control": read_json(control), "knee": read_json(knee), "curve": read_csv(curve)}
        for cell, control, knee, curve in zip(params.curves, files.controls, files.knees, files.curves, strict=True)
    ]
    made = {"cells": tables.cells(records, params.configuration["accuracy_margin"])}
    made["correlation"] = tables.correlation(made["cells"])
    made["regression"] = tables.regression(made["cells"])
    margins = params.configuration["equivalence"]
    made["comparisons"] = comparisons(made["cells"], margins)
    judged = at_the_papers_dose(made["cells"])
    made["paper"] = beside_paper(judged, tables.correlation(judged), tables.regression(judged))
    made["claims"] = claims(judged, margins)

    record, outputs = origin(params.configuration, params.stages, files), iter(snakemake.output)
    for name, table in made.items():
        title, explanation = PAGES[name]
        paths = [next(outputs) for _ in ("csv", "html", "json")]
        write_table(paths, table, table, title, f"{explanation} {params.note}", record)
    included = made["cells"]["included"]
    logging.info("%d cells, %d included", len(included), included.sum())
