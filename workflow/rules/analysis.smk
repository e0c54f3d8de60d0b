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
EVERY_TABLE = [*TABLES, *ALTERNATIVES, *READINGS, FRONT]
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


rule tables:
    input:
        expand(
            "{table}.{format}",
            table=EVERY_TABLE,
            format=["csv", "html", "json"],
        ),


rule figures:
    input:
        expand(
            "{figure}.{format}",
            figure=[*FIGURES, *ALTERNATIVE_FIGURES, COST_FIGURE],
            format=["svg", "png"],
        ),


rule partial:
    input:
        partial_targets,


for PART in (WHOLE, FINISHED):

    rule:
        name:
            f"make_{PART.prefix}tables"
        input:
            metrics=for_all(f"{PART.train}/metrics.json", PART.cells),
            sparsity=for_all(f"{PART.train}/sparsity.json", PART.cells),
            controls=for_all(f"{PART.prune}/control.json", PART.curves),
            knees=for_all(f"{PART.prune}/knee.json", PART.curves),
            curves=for_all(f"{PART.prune}/curve.csv", PART.curves),
        output:
            made_tables(PART, TABLES),
        log:
            f"{PART.folder}/tables/tables.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("make_tables"),
            arithmetic=ARITHMETIC,
            curves=PART.curves,
            cells=PART.cells,
            configuration=config,
            # Of every stage that the numbers went through, for the record beside each table.
            stages=fingerprints(STAGES),
            note=PART.note,
        message:
            "Making the tables"
        script:
            "../scripts/make_tables.py"

    rule:
        name:
            f"draw_{PART.prefix}figures"
        input:
            cells=f"{PART.folder}/tables/cells.csv",
            correlation=f"{PART.folder}/tables/correlation.csv",
            regression=f"{PART.folder}/tables/regression.csv",
            gammas=for_all(f"{PART.train}/gammas.csv", PART.cells),
            curves=for_all(f"{PART.prune}/curve.csv", PART.curves),
        output:
            drawn_figures(PART, FIGURES, "The paper's figures"),
        log:
            f"{PART.folder}/figures/figures.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("draw_figures"),
            arithmetic=ARITHMETIC,
            curves=PART.curves,
            cells=PART.cells,
            width_scale={
                network: configuration.width_scale_of(config, network)
                for network in config["networks"]
            },
            note=PART.note,
        message:
            "Drawing the figures"
        script:
            "../scripts/draw_figures.py"

    rule:
        name:
            f"compare_{PART.prefix}measures"
        input:
            cells=f"{PART.folder}/tables/cells.csv",
            sparsity=for_all(f"{PART.train}/sparsity.json", PART.cells),
            knees=for_all(f"{PART.prune}/knee.json", PART.curves),
        output:
            made_tables(PART, ALTERNATIVES),
        log:
            f"{PART.folder}/tables/measures.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("compare_measures"),
            arithmetic=ARITHMETIC,
            curves=PART.curves,
            cells=PART.cells,
            controls=list(
                dict.fromkeys(NAMED[name].criterion for name in recipes_of("random"))
            ),
            configuration=config,
            stages=fingerprints([*STAGES, "compare_measures"]),
            note=PART.note,
        message:
            "Comparing Weight Skewness with other measures"
        script:
            "../scripts/compare_measures.py"

    rule:
        name:
            f"vary_{PART.prefix}readings"
        input:
            finished_readings,
            cells=f"{PART.folder}/tables/cells.csv",
            metrics=for_all(f"{PART.train}/metrics.json", PART.cells),
            sparsity=for_all(f"{PART.train}/sparsity.json", PART.cells),
            controls=for_all(f"{PART.prune}/control.json", PART.curves),
            curves=for_all(f"{PART.prune}/curve.csv", PART.curves),
        output:
            made_tables(PART, READINGS),
        log:
            f"{PART.folder}/tables/readings.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("vary_readings"),
            arithmetic=ARITHMETIC,
            curves=PART.curves,
            cells=PART.cells,
            # What the study's own curves are comes first: those of the full repair, if there are any.
            recipes=sorted(
                recipes_of("slimming", "ista"),
                key=lambda name: NAMED[name].repair != "full",
            ),
            beside=BESIDE,
            configuration=config,
            stages=fingerprints([*STAGES, "vary_readings"]),
            note=PART.note,
        message:
            "Varying the readings of the paper"
        script:
            "../scripts/vary_readings.py"

    rule:
        name:
            f"draw_{PART.prefix}alternatives"
        input:
            measures=f"{PART.folder}/tables/measures.csv",
            outcomes=f"{PART.folder}/tables/outcomes.csv",
            readings=f"{PART.folder}/tables/readings.csv",
        output:
            drawn_figures(PART, ALTERNATIVE_FIGURES, "Other figures"),
        log:
            f"{PART.folder}/figures/alternatives.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("draw_alternatives"),
            arithmetic=ARITHMETIC,
            note=PART.note,
        message:
            "Drawing other measures and other readings"
        script:
            "../scripts/draw_alternatives.py"
