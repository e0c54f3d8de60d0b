"""The study on one page, from its finished tables, figures, curves and timings."""

import logging
from pathlib import Path

from channel_sparsity.files import write_text
from channel_sparsity.report import charts, contents, page
from channel_sparsity.report.cost import cost
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    tables, templates = Path(files.tables[0]).parent, Path(params.templates)
    prunings = {}
    for curve, path in zip(params.curves, files.prunings, strict=True):
        prunings.setdefault(curve["recipe"], []).append(path)
    drawn = contents.from_curves(tables, files.curves, files.widths, params.curves)
    values = {
        **contents.from_tables(tables, params.configuration),
        **contents.from_configuration(params.configuration, params.stages, tables),
        **contents.data(Path(files.manifest), Path(files.split), tables, params.configuration),
        "content": drawn,
        "cost": cost(files.trainings, prunings, params.configuration["training"]["threads"]),
        "figures": [
            page.figure(path, (templates / f"{Path(path).stem}.rst").read_text(encoding="utf-8"))
            for path in files.figures
        ],
        "tables": [page.table(path, params.note) for path in files.tables if path.endswith(".html")],
    }
    written = page.render(templates / "page", charts.runtime(), values)
    write_text(snakemake.output[0], written)
    logging.info("%d bytes", len(written.encode()))
