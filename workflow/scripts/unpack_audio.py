"""Keep the clips that an archive holds as files, and list them."""

from pathlib import Path

from channel_sparsity.data.archives import write_member
from channel_sparsity.data.meta import read_meta
from channel_sparsity.data.shards import archived_clips
from channel_sparsity.files import write_text
from job import job, progress

with job(snakemake):
    archive, meta = Path(snakemake.input.archive), Path(snakemake.input.meta)
    clips = archived_clips(archive, read_meta(meta), snakemake.params.devices)
    with progress(archive.name, len(clips), "clip") as report:
        for done, (row, member) in enumerate(clips, start=1):
            # Names in meta.csv are plain paths below its folder.
            write_member(member, meta.parent / row.filename)
            report(done)
    write_text(snakemake.output[0], "".join(f"{row.filename}\n" for row, _ in clips))
