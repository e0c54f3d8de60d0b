"""Record what the whole study came from and what its run was like; keep what is known of the clips with it."""

import shutil
from pathlib import Path

from channel_sparsity.bookkeeping.provenance import decides, run
from channel_sparsity.files import read_json, whole, write_json
from job import job

with job(snakemake):
    params, files = snakemake.params, snakemake.input
    made_from = [files.clips, files.manifest, files.split, files.normalisation, *files.tables]
    write_json(
        snakemake.output.provenance,
        decides(params.configuration, params.stages, map(Path, params.locks), read_json(files.manifest), made_from),
    )
    timings = {"train_network": files.trainings, "prune_network": files.prunings}
    write_json(snakemake.output.run, run(Path(params.tree), params.device, params.logs, timings))
    for source, copy in zip(files.dataset, snakemake.output.dataset, strict=True):
        with whole(copy) as path:
            shutil.copyfile(source, path)
