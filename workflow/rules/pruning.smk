# Trained networks to pruning curves and their knees.


rule curves:
    input:
        [for_all(file, CURVES) for file in FILES_OF_CURVE],


rule prune_network:
    input:
        # The metrics hold the weights' digest: they stand for the weights, whose time stamp then does not matter.
        metrics=f"{TRAIN}/metrics.json",
        weights=ancient(f"{TRAIN}/weights.safetensors"),
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
    output:
        **if_kept(steps=directory(f"{PRUNE}/steps")),
        curve=f"{PRUNE}/curve.csv",
        widths=f"{PRUNE}/widths.csv",
        predictions=f"{PRUNE}/predictions.h5",
        control=f"{PRUNE}/control.json",
        timing=f"{PRUNE}/timing.csv",
    log:
        f"{PRUNE}/prune.log",
    conda:
        "../../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        **GPU,
        mem_mb=network_memory,
        runtime=curve_minutes,
    params:
        code=code_for("prune_network"),
        arithmetic=ARITHMETIC,
        settings=config["training"],
        device=untracked(DEVICE),
        batch_sizes=untracked(BATCH_SIZES),
        recipe=recipe_settings,
        shape=network_shape,
        state_seconds=untracked(STATE_SECONDS),
    message:
        "Pruning {wildcards.network} at lambda {wildcards.lam}, seed {wildcards.seed} by {wildcards.recipe}"
    script:
        "../scripts/prune_network.py"


rule find_knee:
    input:
        curve=f"{PRUNE}/curve.csv",
        # The curve counts them: it stands for the predictions, whose time stamp then does not matter.
        predictions=ancient(f"{PRUNE}/predictions.h5"),
        control=f"{PRUNE}/control.json",
        metrics=f"{TRAIN}/metrics.json",
        split=rules.split_clips.output.split,
        clips=f"{DATA}/clips.csv",
    output:
        f"{PRUNE}/knee.json",
    log:
        f"{PRUNE}/knee.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("find_knee"),
        arithmetic=ARITHMETIC,
        settings=config["knee"],
    message:
        "Prune Knee of {wildcards.network} at lambda {wildcards.lam}, seed {wildcards.seed}, {wildcards.recipe}"
    script:
        "../scripts/find_knee.py"
