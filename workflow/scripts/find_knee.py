"""Prune Knee of one curve."""

import pandas

from channel_sparsity.analysis.knee import Rule, measure
from channel_sparsity.files import read_json, write_json
from job import job

with job(snakemake):
    metrics, settings = read_json(snakemake.input.metrics), snakemake.params.settings
    rule = Rule(settings["rule"], settings["axis"], settings["sensitivity"], settings["online"])
    curve = pandas.read_csv(snakemake.input.curve)
    classes, clips = len(metrics["accuracy_per_scene"]), metrics["clips_validation"]
    write_json(snakemake.output[0], measure(curve, classes, clips, rule))
