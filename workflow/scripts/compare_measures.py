"""What else could stand for WS and for PK, at every dose of repair, and whether sparsity beats a good criterion."""

import logging

import pandas

from channel_sparsity.files import read_json
from channel_sparsity.report.pages import write_table
from channel_sparsity.tables import measures, outcomes
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.saving import origin
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    sparsity = [cell | read_json(file) for cell, file in zip(params.cells, files.sparsity, strict=True)]
    cells = tables.read_table(files.cells, tables.CELLS)
    keys = ("recipe", "network", "lam", "seed")
    knees = {
        tuple(curve[k] for k in keys): read_json(file) for curve, file in zip(params.curves, files.knees, strict=True)
    }
    measured = outcomes.outcomes_of(cells, [knees[tuple(row)] for row in cells[list(keys)].itertuples(index=False)])
    made = {
        "measures": measures.compare_measures(measures.levels(cells, pandas.DataFrame(sparsity))),
        "outcomes": outcomes.compare_outcomes(measured, params.controls),
        "criteria": outcomes.compare_criteria(measured),
    }
    record = origin(params.configuration, params.stages, files)
    outputs = iter(snakemake.output)
    for name, table in made.items():
        write_table([next(outputs) for _ in ("csv", "html", "json")], name, table, params.note, record)
    logging.info("%s", ", ".join(f"{len(table)} rows of {name}" for name, table in made.items()))
