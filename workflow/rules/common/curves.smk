# The settings of trainings and curves.


def recipe_settings(wildcards):
    """The settings of the recipe that a curve is made by."""
    return configuration.recipe_of(config, wildcards.recipe)


def network_shape(wildcards):
    """The factor on the widths of a network, and the stride of its first convolution."""
    return configuration.shape_of(config, wildcards.network)


# Refused before anything is learnt where a last batch of one clip would fail, and compared by no rule.
BATCH_SIZES = configuration.batch_sizes_of(config)


def if_kept(**files):
    """The folder of each step's network, by the name that a rule gives it; nothing if the study keeps none."""
    return files if config["pruning"]["keep_steps"] else {}


# The readings of finished studies that stand beside this one's.
BESIDE = {study: f"results/{study}/tables/readings.csv" for study in config["beside"]}


def finished_readings(_):
    """Those of `BESIDE` that are there; one that is not is left to the script, whose error says more."""
    return [path for path in BESIDE.values() if Path(path).exists()]


def recipes_of(*methods):
    """The recipes that the study prunes by, of the given methods, in the order of the configuration."""
    recipes = dict.fromkeys(curve["recipe"] for curve in CURVES)
    return [
        name
        for name in recipes
        if config["recipes"][NAMED[name].criterion]["method"] in methods
    ]
