"""Check an archive that is there already, and link to it: it stays where and as it is."""

from pathlib import Path

from channel_sparsity.data.partial import md5_of
from channel_sparsity.files import StudyError, write_text
from job import job

# An archive has its MD5.
with job(snakemake, checksums=False):
    archive, link = (
        Path(snakemake.params.folder).absolute() / snakemake.wildcards.archive,
        Path(snakemake.output.archive),
    )
    wanted = f"the archive of {snakemake.params.bytes} bytes with the MD5 {snakemake.params.md5}"
    if not archive.is_file():
        raise StudyError(f"{archive} is missing: put {wanted} there, or set `record.archives` to null to download it")
    if archive.stat().st_size != snakemake.params.bytes or md5_of(archive) != snakemake.params.md5:
        raise StudyError(f"{archive} has other contents than the record's file: replace it by {wanted}")
    link.symlink_to(archive)
    write_text(snakemake.output.checksum, f"{snakemake.params.md5}  {link.name}\n")
