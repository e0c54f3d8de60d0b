"""r and m of every network under every reading of what the paper leaves to the analysis and to pruning."""

import logging
from pathlib import Path

import pandas

from channel_sparsity.files import StudyError, read_csv, read_json
from channel_sparsity.measuring.knee import Rule
from channel_sparsity.report.pages import write_table
from channel_sparsity.tables import readings
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.saving import origin
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    for study, path in params.beside.items():
        if not Path(path).is_file():
            raise StudyError(f"{path} does not exist: run the study {study} first, or take it out of `beside`")
    settings = params.configuration["knee"]
    rule = Rule(settings["rule"], settings["axis"], settings["sensitivity"], settings["online"])
    sparsity = [cell | read_json(file) for cell, file in zip(params.cells, files.sparsity, strict=True)]
    metrics = {tuple(cell.values()): read_json(file) for cell, file in zip(params.cells, files.metrics, strict=True)}
    found = {}
    for curve, path, control in zip(params.curves, files.curves, files.controls, strict=True):
        cell = tuple(curve[name] for name in ("network", "lam", "seed"))
        found[curve["recipe"], *cell] = readings.knees(read_csv(path), metrics[cell], read_json(control), rule)
    own = readings.vary(
        tables.read_table(files.cells, tables.CELLS),
        pandas.DataFrame(sparsity),
        found,
        params.configuration["study"],
        params.recipes,
        rule,
        params.configuration["accuracy_margin"],
    )
    others = {study: tables.read_table(path, readings.COLUMNS) for study, path in params.beside.items()}
    table = readings.beside(own, others)
    record = origin(params.configuration, params.stages, files)
    write_table(snakemake.output, "readings", table, params.note, record)
    logging.info("%d readings, %d of them with an r", len(table), table["r"].notna().sum())
