"""The paper's three figures, from every cell."""

from pathlib import Path

import pandas

from channel_sparsity.figures import paper as figures
from channel_sparsity.figures.style import save
from channel_sparsity.files import read_csv
from channel_sparsity.tables import study as tables
from job import job


def together(paths, points):
    """The CSV files of a grid of cells as one table, with the cell's names beside each row."""
    return pandas.concat([read_csv(path).assign(**point) for path, point in zip(paths, points, strict=True)])


with job(snakemake):
    params = snakemake.params
    cells = tables.read_table(snakemake.input.cells, tables.CELLS)
    correlation = tables.read_table(snakemake.input.correlation, tables.CORRELATION)
    regression = tables.read_table(snakemake.input.regression, tables.REGRESSION)
    gammas = together(snakemake.input.gammas, params.cells)
    gammas["width_scale"] = gammas["network"].map(params.width_scale)
    curves = together(snakemake.input.curves, params.curves)
    drawn = {
        "gammas": figures.gammas(gammas, params.note),
        "pruning_curves": figures.pruning_curves(curves, cells, params.note),
        "ws_vs_pk": figures.ws_vs_pk(cells, correlation, regression, params.note),
    }
    for path in map(Path, snakemake.output):
        save(drawn[path.stem], path)
