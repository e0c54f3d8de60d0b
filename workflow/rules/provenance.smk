# One record of the whole study, beside its tables. What is the same for every run of the study is in provenance.json,
# what is not (machines, hours, dates, the commit) in run.json. With what is known of the clips, results/<study>/ holds
# all that its knees, tables and figures are made from: it can be handed on without the data.

# What names the packages whose versions are recorded.
LOCKS = [str(ROOT / "envs" / name) for name in ("torch.txt", "requirements.txt")]
KEPT = ["clips.csv", "findings.csv", "manifest.json", "report.json", "report.md"]

RECORDED = (
    *STAGES,
    "compare_measures",
    "vary_readings",
    "draw_figures",
    "draw_alternatives",
    "make_front",
    "draw_front",
)
JOBS = {
    "train_network": CELLS,
    "measure_sparsity": CELLS,
    "prune_network": CURVES,
    "find_knee": CURVES,
    **SOURCE.jobs,
}


# What was published of a study of this name: `digests.txt` of some run of it, copied.
PUBLISHED = ROOT / "published" / f"{config['study']}.txt"
DIGESTS = f"{RESULTS}/digests.txt"


# Each input is a stage, in their order. Figures are none: they are drawn from these numbers by libraries that change.
rule record_digests:
    input:
        clips=[f"{DATA}/clips.csv"],
        features=[f"{DATA}/manifest.json"],
        split=[
            rules.split_clips.output.split,
            rules.split_clips.output.normalisation,
        ],
        training=[
            file.format(**cell)
            for cell in CELLS
            for file in (
                f"{TRAIN}/history.csv",
                f"{TRAIN}/gammas.csv",
                f"{TRAIN}/metrics.json",
            )
        ],
        sparsity=for_all(f"{TRAIN}/sparsity.json", CELLS),
        pruning=[
            file.format(**curve)
            for curve in CURVES
            for file in (
                f"{PRUNE}/curve.csv",
                f"{PRUNE}/widths.csv",
                f"{PRUNE}/control.json",
            )
        ],
        knees=for_all(f"{PRUNE}/knee.json", CURVES),
        tables=expand("{table}.csv", table=EVERY_TABLE),
    output:
        DIGESTS,
    log:
        f"{RESULTS}/logs/record_digests.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("record_digests"),
        arithmetic=ARITHMETIC,
        configuration=config,
        stages=fingerprints(RECORDED),
    message:
        "Recording the digests of all numbers"
    script:
        "../scripts/record_digests.py"


rule record_provenance:
    input:
        clips=f"{DATA}/clips.csv",
        manifest=f"{DATA}/manifest.json",
        dataset=expand(f"{DATA}/{{name}}", name=KEPT),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
        tables=expand("{table}.csv", table=EVERY_TABLE),
        trainings=for_all(rules.train_network.output.timing, CELLS),
        prunings=for_all(rules.prune_network.output.timing, CURVES),
    output:
        provenance=f"{RESULTS}/provenance.json",
        run=f"{RESULTS}/run.json",
        dataset=expand(f"{RESULTS}/dataset/{{name}}", name=KEPT),
    log:
        f"{RESULTS}/logs/record_provenance.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("record_provenance"),
        arithmetic=ARITHMETIC,
        configuration=config,
        stages=fingerprints([*RECORDED, "remake_network", "export_model"]),
        tree=untracked(str(ROOT)),
        # Another lock makes no number anew, and these were not made with its packages.
        locks=untracked(LOCKS),
        device=untracked(DEVICE),
        logs=untracked(
            {
                rule: for_all(str(getattr(rules, rule).log[0]), JOBS.get(rule, [{}]))
                for rule in RECORDED
                if not rule.startswith("draw_")  # which may still run
            }
        ),
    message:
        "Recording what the study came from"
    script:
        "../scripts/record_provenance.py"
