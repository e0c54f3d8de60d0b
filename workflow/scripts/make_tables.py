"""The study's tables: cells, correlation, regression, and the paper's numbers beside ours."""

import logging

from channel_sparsity.analysis import tables
from channel_sparsity.analysis.pages import page
from channel_sparsity.analysis.paper import beside_paper
from channel_sparsity.files import read_json, sha256, write_csv, write_json, write_text
from job import job

TITLES = {
    "cells": "Every pruned network",
    "correlation": "Correlation of Weight Skewness and Prune Knee",
    "regression": "Linear regression of Prune Knee on Weight Skewness",
    "paper": "The paper's numbers beside ours",
}


def record_of(cell, metrics, sparsity, knee):
    """What the tables need of one cell."""
    return cell | {"metrics": read_json(metrics), "sparsity": read_json(sparsity), "knee": read_json(knee)}


with job(snakemake):
    params = snakemake.params
    trained = dict(
        zip(
            map(str, params.cells),
            zip(snakemake.input.metrics, snakemake.input.sparsity, strict=True),
            strict=True,
        )
    )
    records = []
    for curve, knee in zip(params.curves, snakemake.input.knees, strict=True):
        cell = {key: value for key, value in curve.items() if key != "recipe"}
        records.append(record_of(curve, *trained[str(cell)], knee))

    made = {"cells": tables.cells(records, params.accuracy_margin)}
    made["correlation"] = tables.correlation(made["cells"])
    made["regression"] = tables.regression(made["cells"])
    made["paper"] = beside_paper(made["cells"], made["correlation"], made["regression"])

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
                "code": params.code,
                "made_from": {
                    str(path): sha256(path)
                    for path in (*snakemake.input.metrics, *snakemake.input.sparsity, *snakemake.input.knees)
                },
            },
        )
    included = made["cells"]["included"]
    logging.info("%d cells, %d included", len(included), included.sum())
