"""Say what a data set is made of and what in it deserves a look, on the terminal and in a report."""

import sys

from channel_sparsity.data.clips import read_clips
from channel_sparsity.data.findings import read_findings
from channel_sparsity.data.report import describe, facts, page, warnings
from channel_sparsity.files import write_json, write_text
from job import job

LINES_SHOWN = 12

with job(snakemake):
    clips, findings = read_clips(snakemake.input.clips), read_findings(snakemake.input.findings)
    report = describe(clips, findings, snakemake.params.duration_s)
    write_json(snakemake.output.report, report)
    write_text(snakemake.output.page, page(report, snakemake.params.dataset))
    noticed = list(warnings(report))
    lines = [*facts(report), *(f"look at: {line}" for line in noticed[:LINES_SHOWN])]
    if len(noticed) > LINES_SHOWN:
        lines.append(f"and {len(noticed) - LINES_SHOWN} more")
    said = "\n".join(f"{snakemake.params.dataset}: {line}" for line in [*lines, f"all of it: {snakemake.output.page}"])
    print(said, file=sys.stderr, flush=True)
