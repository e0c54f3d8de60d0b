"""List a source's clips, checked as far as that goes without decoding them."""

import logging

from channel_sparsity.bookkeeping.recordings import states
from channel_sparsity.data.clips import write_clips
from channel_sparsity.data.meta import check_clips, check_expected
from channel_sparsity.data.sources import source_of
from channel_sparsity.files import write_json
from job import job

with job(snakemake):
    block, out = snakemake.params.block, dict(snakemake.output.items())
    source = source_of(block, snakemake.params.dataset)
    own_files = None if source.made else states([source.table], source.recordings())
    clips = source.list_clips()
    check_clips(clips, block["devices"], source.table)
    logging.info(
        "%d clips, %d scenes, %.1f hours",
        len(clips),
        clips["scene"].nunique(),
        clips["duration_s"].sum() / 3600,
    )
    check_expected(clips.groupby("scene").size().to_dict(), block.get("expected", {}), source.table)
    write_clips(out["clips"], clips)
    if own_files:
        write_json(out["recordings"], own_files)
