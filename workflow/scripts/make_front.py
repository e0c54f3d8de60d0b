"""The table of what accuracy costs: every step of every curve."""

import logging

import pandas

from channel_sparsity.files import read_csv
from channel_sparsity.report.pages import write_table
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.front import front
from channel_sparsity.tables.saving import origin
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    curves = pandas.concat(
        [read_csv(path).assign(**curve) for path, curve in zip(files.curves, params.curves, strict=True)]
    )
    made = front(curves, tables.read_table(files.cells, tables.CELLS), params.duration_s, params.budget)
    write_table(snakemake.output, "front", made, params.note, origin(params.configuration, params.stages, files))
    logging.info("%d steps, %d within the budget", len(made), made["within_budget"].sum())
