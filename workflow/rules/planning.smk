# What the study will cost, before it is run. Asked for by name only, and from nothing but the configuration (and a
# folder's meta.csv): nothing is downloaded for it.


rule estimate:
    input:
        f"{RESULTS}/estimate.json",


rule estimate_study:
    input:
        ([] if SOURCE.made else if_given(SOURCE.table, f"{RESULTS}/estimate.json")),
    output:
        table=f"{RESULTS}/estimate.csv",
        estimate=f"{RESULTS}/estimate.json",
    log:
        f"{RESULTS}/logs/estimate_study.log",
    conda:
        "../../envs/environment.yaml"
    threads: workflow.cores
    resources:
        **GPU,
        mem_mb=timing_memory,
        runtime=decoding_minutes,
    params:
        code=code("estimate_study"),
        arithmetic=ARITHMETIC,
        configuration=config,
        cores=workflow.cores,
        device=untracked(DEVICE),
        on_gpu=bool(ON_GPU),
        sharing=snakemake_internals.limit(workflow, "gpu") or 1,
    message:
        "Timing some steps of each network"
    script:
        "../scripts/estimate_study.py"
