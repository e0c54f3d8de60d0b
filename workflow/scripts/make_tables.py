"""The study's tables: cells, how PK follows WS in them, and the paper's numbers and claims beside ours."""

import logging

from channel_sparsity.analysis import tables
from channel_sparsity.analysis.claims import claims
from channel_sparsity.analysis.comparisons import comparisons
from channel_sparsity.analysis.pages import page
from channel_sparsity.analysis.paper import beside_paper
from channel_sparsity.analysis.pooling import pooled
from channel_sparsity.files import read_json, sha256, write_csv, write_json, write_text
from job import job

TITLES = {
    "cells": "Every pruned network",
    "correlation": "Correlation of Weight Skewness and Prune Knee",
    "regression": "Linear regression of Prune Knee on Weight Skewness",
    "comparisons": "Recipes in pairs",
    "pooled": "Weight Skewness and Prune Knee within several networks",
    "paper": "The paper's numbers beside ours",
    "claims": "The paper's claims",
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
        {**curve, **trained[key(curve)], "control": read_json(control), "knee": read_json(knee)}
        for curve, control, knee in zip(params.curves, files.controls, files.knees, strict=True)
    ]
    made = {"cells": tables.cells(records, params.configuration["accuracy_margin"])}
    made["correlation"] = tables.correlation(made["cells"])
    made["regression"] = tables.regression(made["cells"])
    margins = params.configuration["equivalence"]
    made["comparisons"] = comparisons(made["cells"], margins)
    made["pooled"] = pooled(made["cells"])
    made["paper"] = beside_paper(made["cells"], made["correlation"], made["regression"])
    made["claims"] = claims(made["cells"], margins)

    # Each table is one of three formats in `output`, in the order of the rule.
    outputs = iter(snakemake.output)
    for name, table in made.items():
        path = next(outputs)
        write_csv(path, table)
        write_text(next(outputs), page(table, TITLES[name], params.note))
        write_json(
            next(outputs),
            {
                "table": f"{name}.csv",
                "sha256": sha256(path),
                "configuration": params.configuration,
                "code": params.stages,
                "made_from": {str(file): sha256(file) for file in files},
            },
        )
    included = made["cells"]["included"]
    logging.info("%d cells, %d included", len(included), included.sum())
