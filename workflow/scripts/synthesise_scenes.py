"""Make the embedded scenes: WAV files in TAU's layout."""

from pathlib import Path

from channel_sparsity.data.sources.synthetic.recordings import write_scenes
from job import job, progress

# The guard is for the worker processes, which import this file.
if __name__ == "__main__":
    with job(snakemake):
        settings = snakemake.params.settings
        clips = len(settings["scenes"]) * settings["cities"] * settings["locations"] * settings["segments"]
        with progress("scenes", clips, "clip", log_tenths=True) as report:
            write_scenes(
                Path(snakemake.output.meta).parent,
                **settings,
                duration_s=snakemake.params.duration_s,
                workers=snakemake.threads,
                report=report,
            )
