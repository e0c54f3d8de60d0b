# Lambdas for a network and a data set, from a few short trainings. Asked for by name, never part of `all`: a grid is
# chosen by a person and written into the configuration.


rule propose_lambdas:
    input:
        expand(f"{RESULTS}/proposal/{{network}}.yaml", network=config["networks"]),


rule propose_grid:
    input:
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
    output:
        trials=f"{RESULTS}/proposal/{{network}}.csv",
        snippet=f"{RESULTS}/proposal/{{network}}.yaml",
    log:
        f"{RESULTS}/proposal/{{network}}.log",
    conda:
        "../../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        **GPU,
        mem_mb=network_memory,
        runtime=proposal_minutes,
    params:
        code=code_for("propose_grid"),
        arithmetic=ARITHMETIC,
        settings=config["training"],
        device=untracked(DEVICE),
        batch_sizes=untracked(BATCH_SIZES),
        plan=config["proposal"],
        margin=config["accuracy_margin"],
        seed=config["seeds"][0],
        shape=network_shape,
    message:
        "Proposing lambdas for {wildcards.network}"
    script:
        "../scripts/propose_grid.py"
