# The embedded scenes: sounds from random numbers, as a folder in TAU's layout.


rule synthesise_scenes:
    output:
        meta=SOURCE.table,
        audio=directory(f"{DATA}/audio"),
    log:
        f"{DATA}/logs/synthesise_scenes.log",
    conda:
        "../../../envs/environment.yaml"
    threads: workflow.cores
    resources:
        mem_mb=decoding_memory,
        runtime=decoding_minutes,
    params:
        code=code("synthesise_scenes"),
        arithmetic=ARITHMETIC,
        settings=DATASET["synthetic"],
        duration_s=DATASET["features"]["duration_s"],
    message:
        "Making the embedded scenes"
    script:
        "../../scripts/synthesise_scenes.py"
