"""How channel sparsity shapes pruning: the study at a glance. README.md says how to run it."""

import sys
from pathlib import Path

from snakemake.utils import min_version

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from channel_sparsity import configuration, validation
from channel_sparsity.bookkeeping import snakemake_internals
from channel_sparsity.bookkeeping.snakemake_internals import Refused, refusing
from channel_sparsity.files import StudyError

min_version("9.27")
snakemake_internals.warn_of_newer()
with refusing():  # Snakemake would not say which file is wrong
    validation.read_yaml(ROOT / "config.yaml")


configfile: ROOT / "config.yaml"


include: "workflow/rules/common/settings.smk"
include: "workflow/rules/common/grid.smk"
include: "workflow/rules/common/dataset.smk"
include: "workflow/rules/common/tracking.smk"
include: "workflow/rules/common/curves.smk"
include: "workflow/rules/common/guards.smk"
include: "workflow/rules/common/outputs.smk"
include: "workflow/rules/common/models.smk"
include: "workflow/rules/common/partial.smk"
include: "workflow/rules/common/terminal.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/features.smk"


if SOURCE_RULES.exists():

    include: SOURCE_RULES


include: "workflow/rules/training.smk"
include: "workflow/rules/proposal.smk"
include: "workflow/rules/pruning.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/deployment.smk"
include: "workflow/rules/planning.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.dataset.input,
        rules.checkpoints.input,
        rules.curves.input,
        rules.tables.input,
        rules.figures.input,
        rules.deploy.input,
        rules.report.input,
        rules.record_digests.output,
        rules.record_provenance.output,


onstart:
    refuse_orphans_of(workflow)
    jobs = snakemake_internals.planned_jobs(workflow)
    for holder in holders(STATES):
        print(f"At work already: {holder}", file=sys.stderr)
    for doubt in doubts_about(jobs):
        print(f"Look at this first: {doubt}", file=sys.stderr)
    if len(jobs) >= warm_start.WORTHWHILE:
        warm_start.install()
    Remaining(lambda: expected_seconds(jobs), Path(DATA) / "manifest.json").start()


onsuccess:
    with refusing():
        print(outcome(*FOLDERS, *LAST_FILES))
        if PUBLISHED.exists() and is_current(DIGESTS):
            # Behind what Snakemake says last.
            atexit.register(print, compared(DIGESTS, PUBLISHED), flush=True)


onerror:
    # Behind what Snakemake says last.
    said = unfinished(map(Path, log), Path.cwd(), Path(RESULTS), *LAST_FILES)
    atexit.register(print, said, file=sys.stderr)
