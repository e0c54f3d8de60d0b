"""Prune Knee of one curve, its interval over locations, and its loss on clips that did not place it."""

import h5py

from channel_sparsity.data.clips import SPLIT, read_clips
from channel_sparsity.files import read_csv, read_json, write_json
from channel_sparsity.measuring.knee import Rule, measure, without_knee
from channel_sparsity.measuring.resampling import UNKNOWN, resample
from job import job

with job(snakemake):
    files, settings = snakemake.input, snakemake.params.settings
    metrics, control = read_json(files.metrics), read_json(files.control)
    rule = Rule(settings["rule"], settings["axis"], settings["sensitivity"], settings["online"])
    curve = read_csv(files.curve)
    classes, clips = len(metrics["accuracy_per_scene"]), metrics["clips_validation"]
    # A curve that went wrong half-way may bend anywhere behind its end.
    failed = control["status"] != "traced"
    knee = without_knee(control["reason"], rule) if failed else measure(curve, classes, clips, rule)
    resampled = UNKNOWN
    if knee["status"] != "none":
        with h5py.File(files.predictions, "r", locking=False) as predictions:
            hits, rows = predictions["scene"][:] == predictions["label"][:], predictions["row"][:]
        validation = read_csv(files.split, SPLIT)["filename"].iloc[rows]
        identifiers = read_clips(files.clips).set_index("filename")["identifier"]
        resampled = resample(hits, identifiers.loc[validation].tolist(), curve, classes, rule)
    write_json(snakemake.output[0], knee | {"resampled": resampled})
