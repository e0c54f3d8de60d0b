# Models to take away: what accuracy costs in the whole study, the models chosen from it, and their files.


rule deploy:
    input:
        f"{DEPLOY}/models.csv",
        deployed,


for PART in (WHOLE, FINISHED):

    rule:
        name:
            f"make_{PART.prefix}front"
        input:
            cells=f"{PART.folder}/tables/cells.csv",
            curves=for_all(f"{PART.prune}/curve.csv", PART.curves),
        output:
            made_tables(PART, [FRONT]),
        log:
            f"{PART.folder}/tables/front.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("make_front"),
            arithmetic=ARITHMETIC,
            curves=PART.curves,
            duration_s=DATASET["features"]["duration_s"],
            budget=config["deploy"]["budget"],
            configuration=config,
            stages=fingerprints([*STAGES, "make_front"]),
            note=PART.note,
        message:
            "Setting accuracy against size and work"
        script:
            "../scripts/make_front.py"

    rule:
        name:
            f"draw_{PART.prefix}front"
        input:
            f"{PART.folder}/tables/front.csv",
        output:
            drawn_figures(PART, [COST_FIGURE], "Models to take away"),
        log:
            f"{PART.folder}/figures/accuracy_cost.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("draw_front"),
            arithmetic=ARITHMETIC,
            budget=config["deploy"]["budget"],
            note=PART.note,
        message:
            "Drawing accuracy over size and work"
        script:
            "../scripts/draw_front.py"


checkpoint choose_models:
    input:
        f"{FRONT}.csv",
    output:
        f"{DEPLOY}/models.csv",
    log:
        f"{DEPLOY}/logs/models.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("choose_models"),
        arithmetic=ARITHMETIC,
        wanted=WANTED,
        budget=config["deploy"]["budget"],
    message:
        "Choosing the models to take away"
    script:
        "../scripts/choose_models.py"


rule remake_network:
    input:
        **if_kept(steps=ancient(of_chosen(f"{PRUNE}/steps"))),
        metrics=of_chosen(f"{TRAIN}/metrics.json"),
        weights=ancient(of_chosen(f"{TRAIN}/weights.safetensors")),
        curve=of_chosen(f"{PRUNE}/curve.csv"),
        widths=of_chosen(f"{PRUNE}/widths.csv"),
        predictions=ancient(of_chosen(f"{PRUNE}/predictions.h5")),
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
    output:
        f"{DEPLOY}/{{model}}.safetensors",
    log:
        f"{DEPLOY}/logs/{{model}}-network.log",
    conda:
        "../../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        **GPU,
        mem_mb=once_chosen(network_memory),
        runtime=once_chosen(curve_minutes),
    params:
        code=chosen_code("remake_network"),
        arithmetic=ARITHMETIC,
        settings=config["training"],
        device=untracked(DEVICE),
        cell=chosen_step,
        recipe=chosen_recipe,
        shape=chosen_shape,
    message:
        "Making the network of {wildcards.model} again"
    script:
        "../scripts/remake_network.py"


rule export_model:
    input:
        network=f"{DEPLOY}/{{model}}.safetensors",
        metrics=of_chosen(f"{TRAIN}/metrics.json"),
        manifest=f"{DATA}/manifest.json",
        store=ancient(f"{DATA}/logmel.h5"),
        split=rules.split_clips.output.split,
        normalisation=rules.split_clips.output.normalisation,
    output:
        float32=f"{DEPLOY}/{{model}}.onnx",
        int8=f"{DEPLOY}/{{model}}-int8.onnx",
        card=f"{DEPLOY}/{{model}}.json",
        page=f"{DEPLOY}/{{model}}.md",
    log:
        f"{DEPLOY}/logs/{{model}}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=chosen_code("export_model"),
        arithmetic=ARITHMETIC,
        cell=chosen,
        label=chosen_label,
        recipe=chosen_recipe,
        settings=config["training"],
        shape=chosen_shape,
        budget=config["deploy"]["budget"],
        study=config["study"],
        data={
            "dataset": config["dataset"],
            "source": DATASET["source"],
            "licence": SOURCE.licence,
            "devices": DATASET["devices"],
            "features": DATASET["features"],
        },
        stages=fingerprints(
            [*STAGES, "make_front", "choose_models", "remake_network", "export_model"]
        ),
        note=NOTE if SOURCE.note else "",
    message:
        "Writing {wildcards.model} as ONNX, and its card"
    script:
        "../scripts/export_model.py"


# All of them by one job that has the machine to itself.
rule time_models:
    input:
        model_files,
    output:
        f"{DEPLOY}/timing.csv",
    log:
        f"{DEPLOY}/logs/timing.log",
    conda:
        "../../envs/environment.yaml"
    threads: workflow.cores
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=code("time_models"),
        arithmetic=ARITHMETIC,
    message:
        "Timing the models"
    script:
        "../scripts/time_models.py"
