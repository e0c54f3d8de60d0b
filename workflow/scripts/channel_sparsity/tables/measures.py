"""What else could stand for WS: other measures of the gammas, lambda and accuracy, as predictors of PK."""

import pandas

from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.within import Within, scopes, several
from channel_sparsity.tables.saving import table

#: The predictors, by their name in ``sparsity.json`` (but for the last two), and what people call them.
MEASURES = {
    "ws": "WS",
    "l_skewness": "L-skewness",
    "share_near_zero": "share near zero",
    "lambda": "lambda",
    "accuracy": "accuracy",
}

#: The columns of ``measures.csv`` and their types.
COLUMNS = {
    "recipe": str,
    "scope": str,
    "measure": str,
    "n": int,
    "networks": int,
    "r": float,
    "r_low": float,
    "r_high": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "verdict": str,
    "reason": str,
}


def levels(cells: pandas.DataFrame, sparsity: pandas.DataFrame) -> pandas.DataFrame:
    """What is compared: the included cells, averaged over the seeds of each network, recipe and lambda.

    `cells`: the table of that name. `sparsity`: a row a trained network with network, lam, seed and what its
    ``sparsity.json`` measures.
    """
    trained = ["network", "lam", "seed"]
    chosen = cells.loc[cells["included"], ["recipe", *trained, "accuracy", "pk"]]
    chosen = chosen.merge(sparsity[[*trained, *(name for name in MEASURES if name in sparsity)]], on=trained)
    chosen["lambda"] = chosen["lam"]
    numbers = [*MEASURES, "pk"]
    return over_seeds(chosen.astype(dict.fromkeys(numbers, float)), numbers)


def compare_measures(levels: pandas.DataFrame) -> pandas.DataFrame:
    """How closely each measure follows PK within networks: ``measures.csv``.

    `levels`: as the function of that name makes it. A row for each recipe, scope (all networks, or one by itself) and
    measure: r of measure and PK; difference: r less that of WS, on the same cells (Zou 2007), with intervals at 95 %;
    verdict: whether it is better or worse than WS, by an interval that allows for the number of verdicts.
    """
    rows = []
    for recipe, group in levels.groupby("recipe", sort=False):
        for scope, cells in scopes(group):
            for name in MEASURES:
                lacking = "no network has two cells with this measure"
                own = several(cells.dropna(subset=[name, "pk", "ws"]))
                row = {"recipe": recipe, "scope": scope, "measure": name, "n": len(own), "verdict": "undecided"}
                rows.append(
                    row
                    | {"networks": own["network"].nunique()}
                    | (_compared(own, name) if len(own) else {"reason": lacking})
                )
    return table(rows, COLUMNS)


def _compared(cells: pandas.DataFrame, name: str) -> dict:
    """What a row of ``measures.csv`` says."""
    within = Within(cells["pk"], cells["network"], names=("the measure", "PK"))
    r = within.correlation(cells[name])
    row = r.columns("r") | {"reason": r.reason}
    if name == "ws":
        return row | {"verdict": "reference"}
    row["verdict"] = within.verdict(cells[name], cells["ws"], len(MEASURES) - 1)
    return row | within.difference(cells[name], cells["ws"]).columns("difference")
