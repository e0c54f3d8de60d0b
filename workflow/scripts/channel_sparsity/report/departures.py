"""Where a study's settings differ from the paper's words, or fill a gap that they leave (R1 to R25).

Taken from the configuration that the study ran with, so that a demo says of itself how far from the paper it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.claims.paper import METHODS
from channel_sparsity.claims.plan import papers_dose
from channel_sparsity.configuration import curves_of, lambdas_of, recipe_of, shape_of, width_scale_of
from channel_sparsity.data.sources import source_of
from channel_sparsity.naming import PAPER_NETWORKS, label
from channel_sparsity.words import devices

#: What stands for the paper's value where it has none.
NOT_SAID = "not said"


@dataclass(frozen=True)
class Setting:
    """One thing that the paper says or leaves open.

    what: its name for people. where: the section of the paper. paper: the paper's value, or `NOT_SAID`. ours: the
    study's, from its configuration, in the same words if it is the same; empty if it does not apply. reading: its
    number in docs/background/readings.md.
    """

    what: str
    where: str
    paper: str
    ours: Callable[[Mapping], str]
    reading: str = ""


def _dataset(config: Mapping) -> Mapping:
    return config["datasets"][config["dataset"]]


def _features(name: str) -> Callable[[Mapping], float]:
    return lambda config: _dataset(config)["features"][name]


def _recording(config: Mapping) -> str:
    block = _dataset(config)
    if title := source_of(block).title:
        return title
    if block.get("expected", {}).get("clips") == 14400 and list(block["devices"]) == ["a"]:
        return "14,400 segments of device A"
    return f"{config['dataset']}, {devices(block)}"


def _networks(config: Mapping) -> str:
    names = [label(network, width_scale_of(config, network)) for network in config["networks"]]
    return "the twelve of Table 2" if names == [label(network) for network in PAPER_NETWORKS] else ", ".join(names)


def _strides(config: Mapping) -> str:
    """Of the networks whose first convolution has another stride than 1."""
    strides = {network: shape_of(config, network)["stem_stride"] for network in config["networks"]}
    return ", ".join(f"{label(network)}: {stride}" for network, stride in strides.items() if stride != 1)


def _methods(config: Mapping) -> str:
    recipes = list(dict.fromkeys(curve.criterion for curve, _ in curves_of(config)))
    names = [METHODS.get(recipe, f"the recipe {recipe}") for recipe in recipes]
    return "Liu et al. and Ye et al." if recipes == list(METHODS) else ", ".join(names)


def _lambdas(config: Mapping) -> str:
    grids = {tuple(lambdas_of(config, network)) for network in config["networks"]}
    return "; ".join(", ".join(grid) for grid in sorted(grids))


def _split(config: Mapping) -> str:
    split = config["split"]
    if split["kind"] == "official":
        return "the official lists"
    return f"{100 * split['train_share']:.4g} % and {100 * (1 - split['train_share']):.4g} %"


def _kind(config: Mapping) -> str:
    return {
        "random": "random by clips, within scenes: a place may stand on both sides",
        "location": "by location: no place on both sides",
        "official": "the official lists",
    }[config["split"]["kind"]]


def _training(name: str, form: str = "{}") -> Callable[[Mapping], str]:
    return lambda config: form.format(config["training"][name])


def _optimiser(config: Mapping) -> str:
    return {"adam": "Adam", "sgd": "stochastic gradient descent"}[config["training"]["optimiser"]]


def _schedule(schedule: str, settings: Mapping) -> str:
    if schedule == "steps":
        at = " and ".join(f"{100 * share:.4g} %" for share in settings["decay_at"])
        return f"times {settings['decay_factor']:g} at {at} of the epochs"
    return {"linear": "falls in a line to 0", "constant": "constant"}[schedule]


def _rate_schedule(config: Mapping) -> str:
    training = config["training"]
    warmup = f", after {training['warmup_epochs']} epochs of warm-up" if training["warmup_epochs"] else ""
    return _schedule(training["schedule"], training) + warmup


def _bounds(config: Mapping) -> str:
    training = config["training"]
    parts = [f"each gamma's at most {training['clip_gammas']:g}"] if training["clip_gammas"] else []
    parts += [f"norm at most {training['clip_norm']:g}"] if training["clip_norm"] else []
    return ", ".join(parts) or "none"


def _penalty(config: Mapping) -> str:
    return {"subgradient": "L1, in the loss"}.get(config["training"]["penalty"], config["training"]["penalty"])


def _main_recipe(config: Mapping) -> dict:
    """The settings of the study's first recipe, at the repair at which the claims are judged, or its first."""
    curves = [curve for curve, _ in curves_of(config)]
    dose = papers_dose(pandas.DataFrame({"repair": [curve.repair for curve in curves]}))
    own = {curve.repair: curve.recipe for curve in curves if curve.criterion == curves[0].criterion}
    return recipe_of(config, own.get(dose, curves[0].recipe))


def _pruning(name: str, words: Mapping | None = None) -> Callable[[Mapping], str]:
    def ours(config: Mapping) -> str:
        value = _main_recipe(config)[name]
        return words[value] if words else str(value)

    return ours


def _finetuning(config: Mapping) -> str:
    finetuning = _main_recipe(config)["finetuning"]
    return {"each": "after each step", "once": "once, from the trained network", "none": ""}[finetuning["when"]]


def _finetuning_epochs(config: Mapping) -> str:
    finetuning = _main_recipe(config)["finetuning"]
    return "none" if finetuning["when"] == "none" else str(finetuning["epochs"])


def _finetuning_rate(config: Mapping) -> str:
    finetuning = _main_recipe(config)["finetuning"]
    if finetuning["when"] == "none":
        return ""
    return f"{finetuning['learning_rate']:g}, {_schedule(finetuning['schedule'], config['training'])}"


def _ista(config: Mapping) -> str:
    listed = any(config["recipes"][curve.criterion]["method"] == "ista" for curve, _ in curves_of(config))
    return "prunes the same trained networks; thresholds act while fine-tuning" if listed else ""


def _knee(config: Mapping) -> str:
    knee = config["knee"]
    if knee["rule"] == "kneed":
        return f"Kneedle, psi = {knee['sensitivity']:g}{', online' if knee['online'] else ''}"
    if knee["rule"] == "literal":
        return f"Kneedle as section 2.3 describes it, psi = {knee['sensitivity']:g}"
    return "the top of Kneedle's difference curve, with fixed ends"


SETTINGS = (
    Setting("Recordings", "3.1", "14,400 segments of device A", _recording, "R1"),
    Setting("Training and validation", "3.1", "70 % and 30 %", _split, "R2"),
    Setting("Kind of split", "3.1", NOT_SAID, _kind, "R2"),
    Setting("Length of a clip", "3.1", "10 s", lambda c: f"{_features('duration_s')(c):g} s"),
    Setting("Sample rate", "3.1", "44.1 kHz", lambda c: f"{_features('sample_rate_hz')(c) / 1000:g} kHz", "R3"),
    Setting("Mel bands", "3.1", "40", lambda c: str(_features("bands")(c)), "R4"),
    Setting(
        "Window",
        "3.1",
        "40 ms",
        lambda c: f"{1000 * _features('window_samples')(c) / _features('sample_rate_hz')(c):.3g} ms",
        "R4",
    ),
    Setting(
        "Hop",
        "3.1",
        "62.5 % of the window",
        lambda c: f"{100 * _features('hop_samples')(c) / _features('window_samples')(c):.3g} % of the window",
        "R4",
    ),
    Setting("Mixup, alpha", "3.1", "0.4", _training("mixup_alpha", "{:g}"), "R5"),
    Setting("Frequency mask", "3.1", "4 bands", _training("frequency_mask_bands", "{} bands"), "R5"),
    Setting(
        "Time mask",
        "3.1",
        "40 frames, 10 % of a clip",
        lambda c: {0.1: "40 frames, 10 % of a clip"}.get(
            c["training"]["time_mask_share"], f"{100 * c['training']['time_mask_share']:g} % of a clip"
        ),
        "R5",
    ),
    Setting("Networks", "3.2", "the twelve of Table 2", _networks, "R11"),
    Setting("Stride of the first convolution", "3.2", NOT_SAID, _strides, "R11"),
    Setting("Epochs", "3.2", "100", _training("epochs")),
    Setting("Batch size", "3.2", "32", _training("batch_size")),
    Setting("Optimiser", "3.2", "Adam", _optimiser, "R6"),
    Setting("Learning rate", "3.2", "0.1", _training("learning_rate", "{:g}"), "R6"),
    Setting("Momentum", "3.2", "0.9", _training("momentum", "{:g}"), "R6"),
    Setting("Weight decay", "3.2", "0.0001", _training("weight_decay", "{:g}"), "R6"),
    Setting("Course of the learning rate", "3.2", NOT_SAID, _rate_schedule, "R7"),
    Setting("Penalty on gammas", "2.1, 3.2", "L1, in the loss", _penalty, "R8"),
    Setting("Bounds on gradients", "3.2", "none", _bounds, "R12"),
    Setting("Levels of lambda", "3.2", NOT_SAID, _lambdas, "R9, R10"),
    Setting(
        "Accuracy that lambda may cost", "3.2", "3 points", lambda c: f"{100 * c['accuracy_margin']:g} points", "R9"
    ),
    Setting("Trainings of a network at a lambda", "3.2", NOT_SAID, lambda c: str(len(c["seeds"])), "R24"),
    Setting("Pruning", "3.3", "Liu et al. and Ye et al.", _methods),
    Setting("A step of pruning", "3.3", "5 %", lambda c: f"{100 * _main_recipe(c)['step']:g} %", "R16"),
    Setting(
        "... of which channels",
        "3.3",
        NOT_SAID,
        _pruning("step_of", {"original": "of the original ones", "remaining": "of those that remain"}),
        "R16",
    ),
    Setting(
        "Lowest gammas",
        "3.3",
        NOT_SAID,
        _pruning("signed_gammas", {False: "by magnitude", True: "by their signed value"}),
        "R15",
    ),
    Setting("Epochs of fine-tuning", "3.3", "5", _finetuning_epochs, "R17"),
    Setting("Fine-tuning, when", "3.3", NOT_SAID, _finetuning, "R17"),
    Setting("... learning rate", "3.3", NOT_SAID, _finetuning_rate, "R17"),
    Setting(
        "... running statistics",
        "3.3",
        NOT_SAID,
        lambda c: "taken anew" if _main_recipe(c)["finetuning"]["recalibrate"] else "",
        "R17",
    ),
    Setting("Ye et al.'s training", "3.3", NOT_SAID, _ista, "R23"),
    Setting("Rule of the knee", "2.3", "Kneedle, psi not said", _knee, "R21"),
    Setting(
        "PK counts",
        "2.3, 3.3",
        "parameters (2.3), channels (3.3)",
        lambda c: {
            "channels": "channels",
            "parameters": "parameters",
            "masked": "parameters, as if channels were masked",
        }[c["knee"]["axis"]],
        "R19",
    ),
    Setting(
        "Compression rate",
        "Table 1",
        "pruned / original",
        lambda c: "share of the parameters that is removed by surgery",
        "R20",
    ),
)


def departures(config: Mapping) -> tuple[list[dict], int]:
    """The settings that differ from the paper's words or fill a gap: what, where, paper, ours and reading.

    Also how many settings are as the paper says. `config`: the study's whole configuration.
    """
    rows = [
        {
            "what": setting.what,
            "where": setting.where,
            "paper": setting.paper,
            "ours": setting.ours(config),
            "reading": setting.reading,
        }
        for setting in SETTINGS
    ]
    applicable = [row for row in rows if row["ours"]]
    differing = [row for row in applicable if row["ours"] != row["paper"]]
    return differing, len(applicable) - len(differing)
