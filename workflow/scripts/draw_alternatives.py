"""The figures of the dose of repair, of other measures and of other readings."""

from pathlib import Path

from channel_sparsity.figures import alternatives as alternative_figures
from channel_sparsity.figures.style import save
from channel_sparsity.tables import measures, outcomes, readings
from channel_sparsity.tables.study import read_table
from job import job

with job(snakemake):
    note, files = snakemake.params.note, snakemake.input
    drawn = {
        "repair": alternative_figures.repair(read_table(files.outcomes, outcomes.COLUMNS), note),
        "measures": alternative_figures.measures(read_table(files.measures, measures.COLUMNS), note),
        "readings": alternative_figures.readings(read_table(files.readings, readings.COLUMNS), note),
    }
    for path in map(Path, snakemake.output):
        save(drawn[path.stem], path)
