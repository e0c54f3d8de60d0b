# Models to take away: what accuracy costs in the whole study, the models chosen from it, and their files.

DEPLOY = f"{RESULTS}/deploy"

LICENCE = {
    "record": DATASET.get("record", {}).get("licence", ""),
    "folder": "The licence of the recordings is not known to the study: ask whoever made them before you pass this on.",
    "synthetic": "The clips are synthetic, made by this project's own code.",
}[DATASET["source"]]

# What is pruned in random order is a control, and no model at its knee.
WANTED = [
    (network, recipe)
    for recipe, network in configuration.curves_of(config)
    if recipe in recipes_of("slimming", "ista")
]


wildcard_constraints:
    model="|".join([*(re.escape(name_of(*each)) for each in WANTED), re.escape(BUDGET)]),


def chosen_models():
    """The rows of models.csv, by model; Snakemake comes back here when the file is made."""
    with open(checkpoints.choose_models.get().output[0], encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def chosen(wildcards):
    """The row of a model that there is."""
    row = chosen_models()[wildcards.model]
    if row["status"] == "none":
        raise WorkflowError(row["sentence"])
    return row


def chosen_step(wildcards):
    """What of a model's row decides its network."""
    row = chosen(wildcards)
    return {key: row[key] for key in ("network", "lam", "seed", "step")}


def of_chosen(pattern):
    """An input function: a file of the cell that a model comes from."""
    return lambda wildcards: pattern.format(**chosen(wildcards))


def deployed(_):
    """Every file of every model that there is."""
    return [
        f"{DEPLOY}/{name}{ending}"
        for name, row in chosen_models().items()
        if row["status"] == "chosen"
        for ending in (".onnx", "-int8.onnx", ".json", ".md", "-timing.csv")
    ]


def chosen_recipe(wildcards):
    """The settings of the recipe that a model was pruned by."""
    return configuration.recipe_of(config, chosen(wildcards)["recipe"])


def chosen_scale(wildcards):
    """The factor on the widths of a model's network."""
    return width_scale(SimpleNamespace(network=chosen(wildcards)["network"]))


def chosen_label(wildcards):
    """A model's network for people."""
    return label(chosen(wildcards)["network"], chosen_scale(wildcards))


rule deploy:
    input:
        f"{DEPLOY}/models.csv",
        deployed,


rule make_front:
    input:
        cells=f"{RESULTS}/tables/cells.csv",
        curves=for_all(f"{PRUNE}/curve.csv", CURVES),
    output:
        multiext(FRONT, ".csv", ".html", ".json"),
    log:
        f"{RESULTS}/tables/front.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("make_front"),
        curves=CURVES,
        duration_s=DATASET["features"]["duration_s"],
        budget=config["deploy"]["budget"],
        configuration=config,
        stages={rule: code(rule) for rule in (*STAGES, "make_front")},
        note=NOTE,
    message:
        "Setting accuracy against size and work"
    script:
        "../scripts/make_front.py"


rule draw_front:
    input:
        f"{FRONT}.csv",
    output:
        multiext(COST_FIGURE, ".svg", ".png"),
    log:
        f"{RESULTS}/figures/accuracy_cost.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("draw_front"),
        budget=config["deploy"]["budget"],
        note=NOTE,
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
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("choose_models"),
        wanted=WANTED,
        budget=config["deploy"]["budget"],
    message:
        "Choosing the models to take away"
    script:
        "../scripts/choose_models.py"


rule remake_network:
    input:
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
    params:
        code=code("remake_network"),
        settings=config["training"],
        cell=chosen_step,
        recipe=chosen_recipe,
        width_scale=chosen_scale,
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
    params:
        code=code("export_model"),
        cell=chosen,
        label=chosen_label,
        recipe=chosen_recipe,
        settings=config["training"],
        budget=config["deploy"]["budget"],
        study=config["study"],
        data={
            "dataset": config["dataset"],
            "source": DATASET["source"],
            "licence": LICENCE,
            "devices": DATASET["devices"],
            "features": DATASET["features"],
            "folder": CLIPS,
        },
        stages={
            rule: code(rule)
            for rule in (
                *STAGES,
                "make_front",
                "choose_models",
                "remake_network",
                "export_model",
            )
        },
        note=NOTE if DATASET["source"] == "synthetic" else "",
    message:
        "Writing {wildcards.model} as ONNX, and its card"
    script:
        "../scripts/export_model.py"


rule time_model:
    input:
        f"{DEPLOY}/{{model}}.onnx",
        f"{DEPLOY}/{{model}}-int8.onnx",
    output:
        f"{DEPLOY}/{{model}}-timing.csv",
    log:
        f"{DEPLOY}/logs/{{model}}-timing.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("time_model"),
    message:
        "Timing {wildcards.model}"
    script:
        "../scripts/time_model.py"
