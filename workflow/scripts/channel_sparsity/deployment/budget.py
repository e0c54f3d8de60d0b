"""Which models of a study to take away: each network's at its knee, and the best that fits a budget."""

from collections.abc import Iterable, Mapping

import pandas

from channel_sparsity.deployment.names import BUDGET, model_name

#: The columns of ``models.csv`` and their types: which step of which cell each model is, if there is one.
MODELS = {
    "model": str,
    "status": str,
    "sentence": str,
    "network": str,
    "recipe": str,
    "lam": str,
    "seed": "Int64",
    "step": "Int64",
    "accuracy": float,
    "parameters": "Int64",
    "macs_per_second": float,
    "within_budget": bool,
}

#: Of two models that are alike in accuracy, the one with fewer parameters, then with less work.
_BEST_FIRST = {"by": ["accuracy", "parameters", "macs_per_second"], "ascending": [False, True, True]}


def choose(front: pandas.DataFrame, wanted: Iterable[tuple[str, str]], budget: Mapping) -> pandas.DataFrame:
    """``models.csv``: for each (network, recipe) `wanted` the model at the knee, and the best within `budget`.

    `front`: the table of that name. At the knee: of the included cells with a knee, the one whose step there is the
    most accurate on the validation clips. For the budget (``parameter_bytes``, one byte a parameter, and
    ``macs_per_second``): the most accurate step of any curve, unless lambda is over its limit. status is
    ``chosen`` or ``none``; `sentence` says what was chosen, or why nothing and what came nearest.
    """
    rows = []
    for network, recipe in wanted:
        own = front[(front["network"] == network) & (front["recipe"] == recipe)]
        at_knee = own[own["included"] & own["at_knee"]]
        if at_knee.empty:
            why = f"No cell of {network} by {recipe} is included with a knee, so there is no model at the knee."
            rows.append(_none(model_name(network, recipe), why))
        else:
            words = f"The most accurate of the {len(at_knee)} included cells of {network} by {recipe} at their knees."
            rows.append(_row(model_name(network, recipe), at_knee.sort_values(**_BEST_FIRST).iloc[0], words))
    return pandas.DataFrame([*rows, _within(front[front["within_limit"]], budget)], columns=list(MODELS)).astype(MODELS)


def _within(candidates: pandas.DataFrame, budget: Mapping) -> dict:
    """The row of the best model within the budget, or of none."""
    limits = f"{budget['parameter_bytes']:,} bytes and {budget['macs_per_second'] / 1e6:g} MMACs a second"
    fits = candidates[candidates["within_budget"]]
    if len(fits):
        words = f"The most accurate of the {len(fits)} steps of the study's curves within {limits}."
        return _row(BUDGET, fits.sort_values(**_BEST_FIRST).iloc[0], words)
    if candidates.empty:
        return _none(BUDGET, f"No network was trained, so no model is within {limits}.")
    excess = candidates[["int8_bytes", "macs_per_second"]] / [budget["parameter_bytes"], budget["macs_per_second"]]
    near = candidates.loc[excess.max(axis=1).idxmin()]
    return _none(
        BUDGET,
        f"No model is within {limits}; nearest comes step {near['step']} of {near['network']} by {near['recipe']} at "
        f"lambda {near['lam']}, seed {near['seed']}, with {near['int8_bytes']:,} bytes and "
        f"{near['macs_per_second'] / 1e6:.3g} MMACs a second.",
    )


def _row(model: str, step: pandas.Series, words: str) -> dict:
    """A row of a chosen step."""
    what = {name: step[name] for name in MODELS if name not in ("model", "status", "sentence")}
    return {"model": model, "status": "chosen", "sentence": words} | what


def _none(model: str, sentence: str) -> dict:
    """A row that says why there is no model."""
    empty = dict.fromkeys(("network", "recipe", "lam"), "") | {"within_budget": False}
    return {"model": model, "status": "none", "sentence": sentence} | empty
