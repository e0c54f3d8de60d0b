# Tables and figures of what is finished, while the rest is still to come, or has failed. (`use rule` hands on all that a
# rule says but `localrule`.)

PARTIAL_NOTE = (
    f"PARTIAL: {len(FINISHED_CELLS)} of {len(CELLS)} trainings and {len(FINISHED_CURVES)} of {len(CURVES)} curves "
    f"are finished, and these numbers are of them alone. {NOTE}"
)


rule partial:
    input:
        partial_targets,


use rule make_tables as make_partial_tables with:
    input:
        metrics=for_all(OF_CELL["metrics.json"], FINISHED_CELLS),
        sparsity=for_all(OF_CELL["sparsity.json"], FINISHED_CELLS),
        controls=for_all(OF_CURVE["control.json"], FINISHED_CURVES),
        knees=for_all(OF_CURVE["knee.json"], FINISHED_CURVES),
        curves=for_all(OF_CURVE["curve.csv"], FINISHED_CURVES),
    output:
        in_partial(rules.make_tables.output),
    log:
        f"{PARTIAL}/tables/tables.log",
    localrule: True
    params:
        curves=FINISHED_CURVES,
        cells=FINISHED_CELLS,
        note=PARTIAL_NOTE,


use rule draw_figures as draw_partial_figures with:
    input:
        cells=f"{PARTIAL}/tables/cells.csv",
        correlation=f"{PARTIAL}/tables/correlation.csv",
        regression=f"{PARTIAL}/tables/regression.csv",
        gammas=for_all(OF_CELL["gammas.csv"], FINISHED_CELLS),
        curves=for_all(OF_CURVE["curve.csv"], FINISHED_CURVES),
    output:
        in_partial(rules.draw_figures.output),
    log:
        f"{PARTIAL}/figures/figures.log",
    localrule: True
    params:
        curves=FINISHED_CURVES,
        cells=FINISHED_CELLS,
        note=PARTIAL_NOTE,


use rule compare_measures as compare_partial_measures with:
    input:
        cells=f"{PARTIAL}/tables/cells.csv",
        sparsity=for_all(OF_CELL["sparsity.json"], FINISHED_CELLS),
        knees=for_all(OF_CURVE["knee.json"], FINISHED_CURVES),
    output:
        in_partial(rules.compare_measures.output),
    log:
        f"{PARTIAL}/tables/measures.log",
    localrule: True
    params:
        curves=FINISHED_CURVES,
        cells=FINISHED_CELLS,
        note=PARTIAL_NOTE,


use rule vary_readings as vary_partial_readings with:
    input:
        finished_readings,
        cells=f"{PARTIAL}/tables/cells.csv",
        metrics=for_all(OF_CELL["metrics.json"], FINISHED_CELLS),
        sparsity=for_all(OF_CELL["sparsity.json"], FINISHED_CELLS),
        controls=for_all(OF_CURVE["control.json"], FINISHED_CURVES),
        curves=for_all(OF_CURVE["curve.csv"], FINISHED_CURVES),
    output:
        in_partial(rules.vary_readings.output),
    log:
        f"{PARTIAL}/tables/readings.log",
    localrule: True
    params:
        curves=FINISHED_CURVES,
        cells=FINISHED_CELLS,
        note=PARTIAL_NOTE,


use rule draw_alternatives as draw_partial_alternatives with:
    input:
        measures=f"{PARTIAL}/tables/measures.csv",
        outcomes=f"{PARTIAL}/tables/outcomes.csv",
        readings=f"{PARTIAL}/tables/readings.csv",
    output:
        in_partial(rules.draw_alternatives.output),
    log:
        f"{PARTIAL}/figures/alternatives.log",
    localrule: True
    params:
        note=PARTIAL_NOTE,


use rule make_front as make_partial_front with:
    input:
        cells=f"{PARTIAL}/tables/cells.csv",
        curves=for_all(OF_CURVE["curve.csv"], FINISHED_CURVES),
    output:
        in_partial(rules.make_front.output),
    log:
        f"{PARTIAL}/tables/front.log",
    localrule: True
    params:
        curves=FINISHED_CURVES,
        note=PARTIAL_NOTE,


use rule draw_front as draw_partial_front with:
    input:
        f"{PARTIAL}/tables/front.csv",
    output:
        in_partial(rules.draw_front.output),
    log:
        f"{PARTIAL}/figures/accuracy_cost.log",
    localrule: True
    params:
        note=PARTIAL_NOTE,
