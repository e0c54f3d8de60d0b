"""The figure of what accuracy costs."""

from channel_sparsity.figures.cost import accuracy_cost
from channel_sparsity.figures.style import save
from channel_sparsity.tables.front import FRONT
from channel_sparsity.tables.study import read_table
from job import job

with job(snakemake):
    figure = accuracy_cost(read_table(snakemake.input[0], FRONT), snakemake.params.budget, snakemake.params.note)
    for path in snakemake.output:
        save(figure, path)
