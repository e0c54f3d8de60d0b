"""Download one archive of a record; it appears once its size and MD5 are right."""

import logging
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from channel_sparsity.data.sources.record.download import download
from channel_sparsity.files import write_text
from job import job

LINE_EVERY_S = 60


class Terminal(logging.Handler):
    """Says warnings on the terminal, above the progress bar."""

    def emit(self, record):
        tqdm.write(record.getMessage(), file=sys.stderr)


@contextmanager
def transfer(name, size):
    """A bar with rate and time left on a terminal, such a line every minute in the log; yields what takes the bytes."""
    bar = tqdm(desc=name, total=size, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=False)
    began = said = time.monotonic()
    initial = shown = float("inf")

    def report(done):
        nonlocal began, said, initial, shown
        now = time.monotonic()
        if done < shown:  # the first call, or a new fetch: what is there already counts for no rate
            began, initial = now, done
            bar.reset()
            bar.initial = bar.n = done
        bar.update(done - bar.n)
        shown = done
        if now >= said + LINE_EVERY_S or done == size:
            said = now
            elapsed = now - began
            logging.info("%s", tqdm.format_meter(done, size, elapsed, 0, unit="B", unit_scale=True, initial=initial))

    with bar:
        yield report


# An archive has its MD5.
with job(snakemake, checksums=False):
    logging.getLogger("channel_sparsity").addHandler(Terminal(logging.WARNING))
    url, archive = snakemake.params.url, Path(snakemake.output.archive)
    logging.info("%s", snakemake.params.licence)
    print(f"{archive.name}: {snakemake.params.licence}", file=sys.stderr, flush=True)
    with transfer(archive.name, snakemake.params.bytes) as report:
        download(url, archive, snakemake.params.bytes, snakemake.params.md5, report)
    logging.info("%s has the right size and MD5", archive)
    write_text(snakemake.output.checksum, f"{snakemake.params.md5}  {archive.name}\n")
