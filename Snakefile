"""How channel sparsity shapes pruning: the study at a glance. README.md says how to run it."""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

ROOT = Path(workflow.basedir)


configfile: ROOT / "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/features.smk"


if DATASET["source"] == "record":

    include: "workflow/rules/record.smk"


include: "workflow/rules/training.smk"
include: "workflow/rules/proposal.smk"
include: "workflow/rules/pruning.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    dataset,
    features,
    checkpoints,
    propose_lambdas,
    curves,
    tables,
    figures,
    report,


rule all:
    default_target: True
    input:
        rules.dataset.input,
        rules.tables.input,
        rules.figures.input,
        rules.report.input,
        rules.record_provenance.output,


onsuccess:
    print(outcome(*FOLDERS, *LAST_FILES))


onerror:
    print(failures(map(Path, log), Path.cwd()), file=sys.stderr)
    print(unfinished(Path(RESULTS), *LAST_FILES), file=sys.stderr)
