"""The study's tables: cells, how PK follows WS in them, and the paper's numbers and claims beside ours."""

import logging

from channel_sparsity.claims.claims import claims
from channel_sparsity.claims.paper import beside_paper
from channel_sparsity.claims.plan import at_the_papers_dose
from channel_sparsity.files import read_csv, read_json
from channel_sparsity.report.pages import write_table
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.comparisons import comparisons
from channel_sparsity.tables.saving import origin
from job import job


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
        write_table([next(outputs) for _ in ("csv", "html", "json")], name, table, params.note, record)
    included = made["cells"]["included"]
    logging.info("%d cells, %d included", len(included), included.sum())
