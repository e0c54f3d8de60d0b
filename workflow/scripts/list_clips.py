"""List a folder's clips, checked as far as that goes without decoding them."""

import logging
from pathlib import Path

from channel_sparsity.data.clips import write_clips
from channel_sparsity.data.expected import check_expected
from channel_sparsity.data.folder import read_folder
from job import job

with job(snakemake):
    clips = read_folder(Path(snakemake.params.clips), snakemake.params.devices)
    logging.info(
        "%d clips, %d scenes, %.1f hours",
        len(clips),
        clips["scene"].nunique(),
        clips["duration_s"].sum() / 3600,
    )
    check_expected(clips.groupby("scene").size().to_dict(), snakemake.params.expected, snakemake.params.clips)
    write_clips(snakemake.output[0], clips)
