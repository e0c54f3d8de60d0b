"""What a study's configuration says: shapes and lambdas of its networks, its curves and their recipes."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from channel_sparsity.naming import family


def shape_of(config: Mapping, network: str) -> dict[str, float]:
    """What `networks.build` is told of a network's shape: its family's `width_scale` and `stem_stride`, 1 by default.

    A finished study may be older than one of them.
    """
    return {key: config.get(key, {}).get(family(network), 1) for key in ("width_scale", "stem_stride")}


def width_scale_of(config: Mapping, network: str) -> float:
    """The factor on the widths of a network: its family's, 1 if it has none."""
    return shape_of(config, network)["width_scale"]


def lambdas_of(config: Mapping, network: str) -> list[str]:
    """The lambdas that a network is trained at: its own list, or its family's, or the default."""
    lists = config["lambdas"]
    return next(lists[key] for key in (network, family(network), "default") if key in lists)


@dataclass(frozen=True)
class Curve:
    """What prunes a network: the `recipe` names its folder, `criterion` and `repair` are what that name is made of."""

    recipe: str
    criterion: str
    repair: str


#: The repair that `pruning.finetuning` describes, which a recipe's name leaves out.
FULL = "full"


def named_curves(config: Mapping) -> dict[str, Curve]:
    """Every recipe of `recipes` with every repair of `repairs`, by the name that its curves bear."""
    return {
        name: Curve(name, criterion, repair)
        for criterion in config["recipes"]
        for repair in config["repairs"]
        for name in [criterion if repair == FULL else f"{criterion}-{repair}"]
    }


def modules_of(config: Mapping) -> tuple[str, ...]:
    """The modules that a study has chosen by name: its source of clips, its families of networks and its methods."""
    source = config["datasets"][config["dataset"]]["source"]
    families = {f"networks.{family(network)}" for network in config["networks"]}
    methods = {f"methods.{config['recipes'][curve.criterion]['method']}" for curve, _ in curves_of(config)}
    return (f"sources.{source}", *sorted(families | methods))


def recipe_of(config: Mapping, name: str) -> dict:
    """The settings of a pruning recipe: `pruning`, with what the recipe and its repair change."""
    curve = named_curves(config)[name]
    settings = copy.deepcopy(config["pruning"])
    changes = copy.deepcopy(config["recipes"][curve.criterion])
    settings["finetuning"] |= changes.pop("finetuning", {}) | config["repairs"][curve.repair]
    return settings | changes


def batch_sizes_of(config: Mapping) -> dict[str, list[int]]:
    """The clips of a batch, in training and in every fine-tuning that the curves ask for, of each network."""
    sizes = {network: {config["training"]["batch_size"]} for network in config["networks"]}
    for curve, network in curves_of(config):
        tuning = recipe_of(config, curve.recipe)["finetuning"]
        if tuning["when"] != "none" and tuning["batch_size"] is not None:
            sizes[network].add(tuning["batch_size"])
    return {network: sorted(some) for network, some in sizes.items()}


def curves_of(config: Mapping) -> list[tuple[Curve, str]]:
    """All curves and their networks, in the order of the configuration; networks that the study lacks are left out."""
    named = {(each.criterion, each.repair): each for each in named_curves(config).values()}
    return [
        (named[entry["recipe"], repair], network)
        for entry in config["curves"]
        for repair in entry.get("repairs", [FULL])
        for network in entry.get("networks", config["networks"])
        if network in config["networks"]
    ]
