"""Make the embedded scenes: WAV files in TAU's layout."""

from pathlib import Path

from channel_sparsity.data.synthetic import write_scenes
from job import job

# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        write_scenes(
            Path(snakemake.output.meta).parent,
            **snakemake.params.settings,
            duration_s=snakemake.params.duration_s,
            workers=snakemake.threads,
        )
