# Features to trained networks and how sparse they came out.


rule checkpoints:
    input:
        [for_all(file, CELLS) for file in FILES_OF_CELL],


rule split_clips:
    input:
        train_list,
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
    output:
        split=f"{RESULTS}/split.csv",
        normalisation=f"{RESULTS}/normalisation.json",
    log:
        f"{RESULTS}/logs/split_clips.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("split_clips"),
        arithmetic=ARITHMETIC,
        settings=split_settings,
    message:
        "Splitting the clips"
    script:
        "../scripts/split_clips.py"


rule train_network:
    input:
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
    output:
        weights=f"{TRAIN}/weights.safetensors",
        history=f"{TRAIN}/history.csv",
        gammas=f"{TRAIN}/gammas.csv",
        metrics=f"{TRAIN}/metrics.json",
        timing=f"{TRAIN}/timing.csv",
    log:
        f"{TRAIN}/train.log",
    conda:
        "../../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        **GPU,
        mem_mb=network_memory,
        runtime=training_minutes,
    params:
        code=code_for("train_network"),
        arithmetic=ARITHMETIC,
        settings=config["training"],
        device=untracked(DEVICE),
        batch_sizes=untracked(BATCH_SIZES),
        shape=network_shape,
        state_seconds=untracked(STATE_SECONDS),
    message:
        "Training {wildcards.network} at lambda {wildcards.lam}, seed {wildcards.seed}"
    script:
        "../scripts/train_network.py"


rule measure_sparsity:
    input:
        gammas=f"{TRAIN}/gammas.csv",
    output:
        f"{TRAIN}/sparsity.json",
    log:
        f"{TRAIN}/sparsity.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("measure_sparsity"),
        arithmetic=ARITHMETIC,
    message:
        "Weight Skewness of {wildcards.network} at lambda {wildcards.lam}, seed {wildcards.seed}"
    script:
        "../scripts/measure_sparsity.py"
