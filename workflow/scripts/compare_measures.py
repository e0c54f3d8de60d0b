"""Other measures of the gammas, other summaries of a curve, and random order, beside WS, PK and the ranking."""

import logging

import pandas

from channel_sparsity.analysis import curve_summaries, measures, tables
from channel_sparsity.analysis.labels import ALL
from channel_sparsity.analysis.records import origin, write_table
from channel_sparsity.files import read_json
from job import job

TITLES = {
    "measures": "What follows Prune Knee, within networks",
    "curve_summaries": "What follows Weight Skewness: Prune Knee and other summaries of a pruning curve",
    "random_order": "The slope of Prune Knee on Weight Skewness, and in random order",
}

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    sparsity = [cell | read_json(file) for cell, file in zip(params.cells, files.sparsity, strict=True)]
    summed_up = [curve | read_json(file)["summaries"] for curve, file in zip(params.curves, files.knees, strict=True)]
    levels = measures.levels(
        tables.read_table(files.cells, tables.CELLS), pandas.DataFrame(sparsity), pandas.DataFrame(summed_up)
    )
    made = {
        "measures": measures.compare_measures(levels),
        "curve_summaries": curve_summaries.compare_summaries(levels),
        "random_order": curve_summaries.compare_with_random(levels, params.controls),
    }
    words = {name: measure.words for name, measure in measures.MEASURES.items()}
    record = origin(params.configuration, params.stages, files)
    outputs = iter(snakemake.output)
    for name, table in made.items():
        shown = table[table["scope"] == ALL].replace({"measure": words, "summary": curve_summaries.SUMMARIES})
        paths = [next(outputs) for _ in ("csv", "html", "json")]
        write_table(paths, table, shown, TITLES[name], params.note, record)
    verdicts = made["measures"]["verdict"].value_counts()
    logging.info("%s", ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()))
