# Knees and skewness to tables and figures.

TABLES = [
    f"{RESULTS}/tables/{name}"
    for name in (
        "cells",
        "correlation",
        "regression",
        "comparisons",
        "paper",
        "claims",
    )
]
FIGURES = [
    f"{RESULTS}/figures/{name}" for name in ("gammas", "pruning_curves", "ws_vs_pk")
]
ALTERNATIVES = [
    f"{RESULTS}/tables/{name}" for name in ("measures", "outcomes", "criteria")
]
READINGS = [f"{RESULTS}/tables/readings"]
# Made in deployment.smk.
FRONT = f"{RESULTS}/tables/front"
COST_FIGURE = f"{RESULTS}/figures/accuracy_cost"
ALTERNATIVE_FIGURES = [
    f"{RESULTS}/figures/{name}" for name in ("repair", "measures", "readings")
]
# The figures of the report, in its order: each with a caption of its name in workflow/report/, whose first line is its
# title.
REPORTED = [*FIGURES, *ALTERNATIVE_FIGURES, COST_FIGURE]

STAGES = (
    *SOURCE.stages,
    "split_clips",
    "train_network",
    "measure_sparsity",
    "prune_network",
    "find_knee",
    "make_tables",
)
NOTE = f"Study {config['study']}, data set {config['dataset']}. {SOURCE.note}".strip()


rule tables:
    input:
        expand(
            "{table}.{format}",
            table=[*TABLES, *ALTERNATIVES, *READINGS, FRONT],
            format=["csv", "html", "json"],
        ),


rule figures:
    input:
        expand(
            "{figure}.{format}",
            figure=[*FIGURES, *ALTERNATIVE_FIGURES, COST_FIGURE],
            format=["svg", "png"],
        ),


rule make_tables:
    input:
        metrics=for_all(f"{TRAIN}/metrics.json", CELLS),
        sparsity=for_all(f"{TRAIN}/sparsity.json", CELLS),
        controls=for_all(f"{PRUNE}/control.json", CURVES),
        knees=for_all(f"{PRUNE}/knee.json", CURVES),
        curves=for_all(f"{PRUNE}/curve.csv", CURVES),
    output:
        made_tables(TABLES),
    log:
        f"{RESULTS}/tables/tables.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("make_tables"),
        arithmetic=ARITHMETIC,
        curves=CURVES,
        cells=CELLS,
        configuration=config,
        # Of every stage that the numbers went through, for the record beside each table.
        stages=fingerprints(STAGES),
        note=NOTE,
    message:
        "Making the tables"
    script:
        "../scripts/make_tables.py"


rule draw_figures:
    input:
        cells=f"{RESULTS}/tables/cells.csv",
        correlation=f"{RESULTS}/tables/correlation.csv",
        regression=f"{RESULTS}/tables/regression.csv",
        gammas=for_all(f"{TRAIN}/gammas.csv", CELLS),
        curves=for_all(f"{PRUNE}/curve.csv", CURVES),
    output:
        drawn_figures(FIGURES, "The paper's figures"),
    log:
        f"{RESULTS}/figures/figures.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("draw_figures"),
        arithmetic=ARITHMETIC,
        curves=CURVES,
        cells=CELLS,
        width_scale={
            network: configuration.width_scale_of(config, network)
            for network in config["networks"]
        },
        note=NOTE,
    message:
        "Drawing the figures"
    script:
        "../scripts/draw_figures.py"


rule compare_measures:
    input:
        cells=f"{RESULTS}/tables/cells.csv",
        sparsity=for_all(f"{TRAIN}/sparsity.json", CELLS),
        knees=for_all(f"{PRUNE}/knee.json", CURVES),
    output:
        made_tables(ALTERNATIVES),
    log:
        f"{RESULTS}/tables/measures.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("compare_measures"),
        arithmetic=ARITHMETIC,
        curves=CURVES,
        cells=CELLS,
        controls=list(
            dict.fromkeys(NAMED[name].criterion for name in recipes_of("random"))
        ),
        configuration=config,
        stages=fingerprints([*STAGES, "compare_measures"]),
        note=NOTE,
    message:
        "Comparing Weight Skewness with other measures"
    script:
        "../scripts/compare_measures.py"


rule vary_readings:
    input:
        finished_readings,
        cells=f"{RESULTS}/tables/cells.csv",
        metrics=for_all(f"{TRAIN}/metrics.json", CELLS),
        sparsity=for_all(f"{TRAIN}/sparsity.json", CELLS),
        controls=for_all(f"{PRUNE}/control.json", CURVES),
        curves=for_all(f"{PRUNE}/curve.csv", CURVES),
    output:
        made_tables(READINGS),
    log:
        f"{RESULTS}/tables/readings.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("vary_readings"),
        arithmetic=ARITHMETIC,
        curves=CURVES,
        cells=CELLS,
        # What the study's own curves are comes first: those of the full repair, if there are any.
        recipes=sorted(
            recipes_of("slimming", "ista"),
            key=lambda name: NAMED[name].repair != "full",
        ),
        beside=BESIDE,
        configuration=config,
        stages=fingerprints([*STAGES, "vary_readings"]),
        note=NOTE,
    message:
        "Varying the readings of the paper"
    script:
        "../scripts/vary_readings.py"


rule draw_alternatives:
    input:
        measures=f"{RESULTS}/tables/measures.csv",
        outcomes=f"{RESULTS}/tables/outcomes.csv",
        readings=f"{RESULTS}/tables/readings.csv",
    output:
        drawn_figures(ALTERNATIVE_FIGURES, "Other figures"),
    log:
        f"{RESULTS}/figures/alternatives.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("draw_alternatives"),
        arithmetic=ARITHMETIC,
        note=NOTE,
    message:
        "Drawing other measures and other readings"
    script:
        "../scripts/draw_alternatives.py"
