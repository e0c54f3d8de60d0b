# The models chosen from the finished curves.
import csv
from types import SimpleNamespace

from channel_sparsity.naming import label


def chosen_models():
    """The rows of models.csv, by model; Snakemake comes back here when the file is made."""
    with open(checkpoints.choose_models.get().output[0], encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def chosen(wildcards):
    """The row of a model that there is."""
    row = chosen_models()[wildcards.model]
    if row["status"] == "none":
        raise Refused(row["sentence"])
    return row


def chosen_step(wildcards):
    """What of a model's row decides its network."""
    row = chosen(wildcards)
    return {key: row[key] for key in ("network", "lam", "seed", "step")}


def of_chosen(pattern):
    """An input function: a file of the cell that a model comes from."""
    return lambda wildcards: pattern.format(**chosen(wildcards))


def model_files(_):
    """The files of every model that there is."""
    return [
        f"{DEPLOY}/{name}{form}.onnx"
        for name, row in chosen_models().items()
        if row["status"] == "chosen"
        for form in ("", "-int8")
    ]


def deployed(wildcards):
    """`model_files`, and how long they take; nothing if there is no model."""
    files = model_files(wildcards)
    return [*files, f"{DEPLOY}/timing.csv"] if files else []


def chosen_code(script):
    """`code_for`, for the network and recipe that a model comes from."""
    return lambda wildcards: code_for(script)(SimpleNamespace(**chosen(wildcards)))


def chosen_recipe(wildcards):
    """The settings of the recipe that a model was pruned by."""
    return configuration.recipe_of(config, chosen(wildcards)["recipe"])


def chosen_shape(wildcards):
    """`network_shape` of a model's network."""
    return network_shape(SimpleNamespace(**chosen(wildcards)))


def chosen_label(wildcards):
    """A model's network for people."""
    return label(chosen(wildcards)["network"], chosen_shape(wildcards)["width_scale"])
