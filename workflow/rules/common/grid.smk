# The grid of the study, and the names of its files.
import re
from dataclasses import asdict


from channel_sparsity.deployment.names import BUDGET, model_name

RESULTS = f"results/{config['study']}"
CELL = "{network}/lambda-{lam}/seed-{seed}"
TRAIN = f"{RESULTS}/train/{CELL}"
PRUNE = f"{RESULTS}/prune/{{recipe}}/{CELL}"

# Every file of a cell and of a curve. The targets ask for all of them, so that one that was lost is made again.
FILES_OF_CELL = [
    f"{TRAIN}/{name}"
    for name in (
        "weights.safetensors",
        "history.csv",
        "gammas.csv",
        "metrics.json",
        "timing.csv",
        "sparsity.json",
    )
]
FILES_OF_CURVE = [
    f"{PRUNE}/{name}"
    for name in (
        "curve.csv",
        "widths.csv",
        "predictions.h5",
        "control.json",
        "timing.csv",
        "knee.json",
    )
]

DEPLOY = f"{RESULTS}/deploy"
NAMED = configuration.named_curves(config)


CELLS = [
    {"network": network, "lam": lam, "seed": seed}
    for network in config["networks"]
    for lam in configuration.lambdas_of(config, network)
    for seed in config["seeds"]
]
CURVES = [
    asdict(curve) | cell
    for curve, network in configuration.curves_of(config)
    for cell in CELLS
    if cell["network"] == network
]


# A model of each network and criterion, with the last of the repairs that are listed: the strongest. What is pruned in
# random order is a control, and no model at its knee.
WANTED = list(
    {
        (network, curve.criterion): (network, curve.recipe)
        for curve, network in configuration.curves_of(config)
        if config["recipes"][curve.criterion]["method"] != "random"
    }.values()
)


wildcard_constraints:
    model="|".join(
        re.escape(each) for each in (*(model_name(*each) for each in WANTED), BUDGET)
    ),
    network="|".join(re.escape(network) for network in config["networks"]),
    lam="|".join(sorted({re.escape(cell["lam"]) for cell in CELLS})),
    seed="|".join(str(seed) for seed in config["seeds"]),
    recipe="|".join(re.escape(recipe) for recipe in NAMED),


def for_all(pattern, grid):
    """One file name for each point of a grid."""
    return [pattern.format(**point) for point in grid]
