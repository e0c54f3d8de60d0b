# The grid of the study, the names of its files, and what every rule shares.
import os
import re
import sys

import yaml
from snakemake.exceptions import WorkflowError

SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from channel_sparsity import configuration
from channel_sparsity.ending import failures, outcome
from channel_sparsity.files import StudyError, read_json
from channel_sparsity.fingerprint import fingerprint

# Freed memory stays with the process instead of being faulted in anew at every training step: measured on two cores, 0
# to 25 % faster at 101 frames, no gain at the demo's 26. Results do not depend on it.
for variable, value in {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}.items():
    os.environ.setdefault(variable, value)

try:
    configuration.check(
        config,
        yaml.safe_load(
            (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
        ),
        [ROOT / "config.yaml", *workflow.overwrite_configfiles],
    )
except StudyError as error:
    raise WorkflowError(str(error))

DATASET = config["datasets"][config["dataset"]]
DATA = f"data/{config['dataset']}"
RESULTS = f"results/{config['study']}"
# Where the clips lie: the embedded scenes are made beside what is derived from them.
CLIPS = DATA if DATASET["source"] == "synthetic" else DATASET["path"]

CELL = "{network}/lambda-{lam}/seed-{seed}"
TRAIN = f"{RESULTS}/train/{CELL}"
PRUNE = f"{RESULTS}/prune/{{recipe}}/{CELL}"

CELLS = [
    {"network": network, "lam": lam, "seed": seed}
    for network in config["networks"]
    for lam in configuration.lambdas_of(config, network)
    for seed in config["seeds"]
]
CURVES = [
    {"recipe": recipe} | cell
    for recipe, network in configuration.curves_of(config)
    for cell in CELLS
    if cell["network"] == network
]


wildcard_constraints:
    network="|".join(re.escape(network) for network in config["networks"]),
    lam="|".join(sorted({re.escape(cell["lam"]) for cell in CELLS})),
    seed="|".join(str(seed) for seed in config["seeds"]),
    recipe="|".join(re.escape(recipe) for recipe in config["recipes"]),


def for_all(pattern, grid):
    """One file name for each point of a grid."""
    return [pattern.format(**point) for point in grid]


def code(script):
    """The fingerprint of a script in workflow/scripts and of the modules it reaches."""
    return fingerprint(SCRIPTS / f"{script}.py")


def meta_file(_):
    """The clips' metadata; a folder that lacks it is left to the script, whose error says more than Snakemake's."""
    meta = f"{CLIPS}/meta.csv"
    return meta if DATASET["source"] == "synthetic" or Path(meta).exists() else []


def recipe_settings(wildcards):
    """The settings of the recipe that a curve is made by."""
    return configuration.recipe_of(config, wildcards.recipe)


def width_scale(wildcards):
    """The factor on the widths of a network."""
    return config["width_scale"][configuration.family(wildcards.network)]


# The readings of finished studies that stand beside this one's.
BESIDE = {study: f"results/{study}/tables/readings.csv" for study in config["beside"]}


def finished_readings(_):
    """Those of `BESIDE` that are there; one that is not is left to the script, whose error says more."""
    return [path for path in BESIDE.values() if Path(path).exists()]


def recipes_of(*methods):
    """The recipes that the study prunes by, of the given methods, in the order of the configuration."""
    recipes = dict.fromkeys(curve["recipe"] for curve in CURVES)
    return [name for name in recipes if config["recipes"][name]["method"] in methods]


def refuse_another_data_set():
    """Two blocks that differ never share a folder: stop before one is written over the other."""
    manifest = Path(DATA) / "manifest.json"
    if (
        manifest.exists()
        and (made_from := read_json(manifest).get("settings")) != DATASET
    ):
        differing = sorted(
            k for k in {*made_from, *DATASET} if made_from.get(k) != DATASET.get(k)
        )
        raise WorkflowError(
            f"{DATA} was made from other settings of `datasets.{config['dataset']}` ({', '.join(differing)}): "
            f"give the block another name, or delete {DATA} to make it anew"
        )


refuse_another_data_set()
