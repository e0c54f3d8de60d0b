"""The figure of what accuracy costs."""

from channel_sparsity.analysis.front import FRONT
from channel_sparsity.analysis.front_figure import accuracy_cost
from channel_sparsity.analysis.plotting import save
from channel_sparsity.analysis.tables import read_table
from job import job

with job(snakemake):
    figure = accuracy_cost(read_table(snakemake.input[0], FRONT), snakemake.params.budget, snakemake.params.note)
    for path in snakemake.output:
        save(figure, path)
