"""The table of what accuracy costs: every step of every curve."""

import logging

import pandas

from channel_sparsity.files import read_csv
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.front import front
from channel_sparsity.tables.saving import origin, write_table
from job import job

TITLE = "What accuracy costs"
EXPLANATION = (
    "Steps of pruning curves that no other step beats, in int8 parameters (one byte each) or in multiply-accumulates, "
    "and those at knees; the CSV has all. Validation clips placed the knees and say what is beaten: accuracies are "
    "optimistic."
)

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    curves = pandas.concat(
        [read_csv(path).assign(**curve) for path, curve in zip(files.curves, params.curves, strict=True)]
    )
    made = front(curves, tables.read_table(files.cells, tables.CELLS), params.duration_s, params.budget)
    shown = made[made["on_front_bytes"] | made["on_front_macs"] | made["at_knee"]]
    record = origin(params.configuration, params.stages, files)
    write_table(snakemake.output, made, shown, TITLE, f"{EXPLANATION} {params.note}", record)
    logging.info("%d steps, %d within the budget", len(made), made["within_budget"].sum())
