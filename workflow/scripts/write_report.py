"""The study on one page, from its finished tables, figures, curves and timings."""

import logging
from pathlib import Path

from channel_sparsity.files import write_text
from channel_sparsity.report import charts, page
from channel_sparsity.report.contents import Sources, contents
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    lists = ("tables", "figures", "curves", "widths", "prunings", "trainings")
    named = {name: [Path(path) for path in getattr(files, name)] for name in lists}
    sources = Sources(
        manifest=Path(files.manifest),
        split=Path(files.split),
        digests=Path(files.digests),
        published=Path(files.published[0]) if files.published else None,
        grid=params.curves,
        **named,
    )
    templates = Path(params.templates)
    values = contents(sources, params.configuration, params.stages, templates)
    written = page.render(templates / "page", charts.runtime(), values)
    write_text(snakemake.output[0], written)
    logging.info("%d bytes", len(written.encode()))
