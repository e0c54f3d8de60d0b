"""Record the SHA-256 of every file with numbers, stage by stage, and what they were made with."""

import platform

from channel_sparsity.arithmetic import in_force
from channel_sparsity.bookkeeping.published import Digests, digest_of
from channel_sparsity.files import read_json, write_text
from channel_sparsity.machine import versions
from job import job

with job(snakemake):
    params, stages = snakemake.params, dict(snakemake.input.items())
    metrics = [read_json(file) for file in stages["training"] if file.endswith("metrics.json")]
    made_with = {
        "arithmetic": in_force(),
        "architecture": platform.machine(),
        "device": ", ".join(sorted({each["device"] for each in metrics})),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "settings": digest_of(params.configuration),
        "code": digest_of(params.stages),
    }
    write_text(snakemake.output[0], Digests.of(made_with, stages).text())
