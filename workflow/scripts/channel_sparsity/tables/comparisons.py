"""Recipes in pairs: do they differ, or are they as good as equal (R24)?"""

import itertools
from collections.abc import Mapping

import pandas

from channel_sparsity.naming import ALL
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import Bounded, mean_of_values
from channel_sparsity.statistics.slopes import mean_over_networks, over_networks, slopes
from channel_sparsity.statistics.within import Within, several
from channel_sparsity.tables.saving import table

#: The columns of ``comparisons.csv`` and their types.
COMPARISONS = {
    "network": str,
    "recipe": str,
    "other": str,
    "quantity": str,
    "n": int,
    "value": float,
    "value_other": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "margin": float,
    "verdict": str,
    "reason": str,
    "width_scale": float,
}


def equivalence(low: float | None, high: float | None, margin: float) -> str:
    """What an interval of a difference says: equivalent, different or undecided.

    ``equivalent`` where it lies within the margin on both sides (two one-sided tests), a certain but negligible
    difference included; ``different`` where it reaches beyond the margin and excludes 0; else ``undecided``.
    """
    if low is None or high is None:
        return "undecided"
    if -margin <= low and high <= margin:
        return "equivalent"
    return "different" if low > 0 or high < 0 else "undecided"


def comparisons(cells: pandas.DataFrame, margins: Mapping[str, float]) -> pandas.DataFrame:
    """Every two recipes of one repair that prune the same network, on the cells that both have: ``comparisons.csv``.

    `cells`: the table of that name. `margins`: how large a difference of pk, m and r counts as none, fixed beforehand.
    Recipes prune the same trained networks, so both have the same WS, and what differs is PK alone. A pair of cells
    counts where both are included. `difference` is the first recipe's less the other's: of PK (mean over lambdas, a
    paired t), of m (the slope of the difference on WS) and of r (Zou's interval for correlations that share WS). In
    rows of ``all`` each network is one observation of PK and of m, and r is that within networks.
    """
    rows = []
    repairs = dict(zip(cells["recipe"], cells["repair"], strict=True))
    for recipe, other in itertools.combinations(repairs, 2):
        if repairs[recipe] != repairs[other]:
            continue
        pairs = _pairs(cells, recipe, other)
        pruned_by = cells.groupby("network", sort=False)["recipe"]
        shared = [network for network, recipes in pruned_by if {recipe, other} <= set(recipes)]
        for network in [*shared, *([ALL] if len(shared) > 1 else [])]:
            chosen = pairs if network == ALL else pairs[pairs["network"] == network]
            scale = 1.0 if network == ALL else cells.loc[cells["network"] == network, "width_scale"].iloc[0]
            for found in (_of_pk(chosen), _of_m(chosen), _of_r(chosen)):
                margin = margins[found["quantity"]]
                row = {"network": network, "recipe": recipe, "other": other, "n": len(chosen), "width_scale": scale}
                verdict = equivalence(found.get("difference_low"), found.get("difference_high"), margin)
                rows.append(row | found | {"margin": margin, "verdict": verdict})
    return table(rows, COMPARISONS)


def _pairs(cells: pandas.DataFrame, recipe: str, other: str) -> pandas.DataFrame:
    """Network, ws, and PK of two recipes (first, second, and their difference), averaged over the seeds of both."""
    keys = ["network", "lam", "seed"]
    one, two = (cells[cells["included"] & (cells["recipe"] == name)] for name in (recipe, other))
    both = one.merge(two[[*keys, "pk"]], on=keys, suffixes=("", "_other"))
    pairs = over_seeds(both, ["ws", "pk", "pk_other"]).rename(columns={"pk": "first", "pk_other": "second"})
    return pairs.assign(difference=pairs["first"] - pairs["second"])


def _of_pk(pairs: pandas.DataFrame) -> dict:
    """The mean difference of PK, over the lambdas of one network or over the means of several."""
    if pairs["network"].nunique() > 1:
        pairs = pairs.groupby("network")[["first", "second", "difference"]].mean()
        bounds = mean_over_networks(pairs["difference"])
    elif len(pairs) > 1:
        bounds = mean_of_values(pairs["difference"]).bounded()
    else:
        return {"quantity": "pk", "reason": f"needs 2 lambdas of a network, has {len(pairs)}"}
    return _found("pk", pairs["first"].mean(), pairs["second"].mean(), bounds)


def _of_m(pairs: pandas.DataFrame) -> dict:
    """The difference of the slopes, which is the slope of the difference, because both have the same WS."""
    first, second, both = (slopes(pairs, name) for name in ("first", "second", "difference"))
    bounds = over_networks(both)
    if bounds.value is None:
        return {"quantity": "m", "reason": bounds.reason}
    if pairs["network"].nunique() > 1:  # of which one alone does not speak for the others
        bounds = mean_over_networks(each.value for each in both.values())
    return _found("m", over_networks(first).value, over_networks(second).value, bounds)


def _of_r(pairs: pandas.DataFrame) -> dict:
    """The difference of the correlations within networks."""
    pairs = several(pairs)
    # Both recipes share WS, which therefore takes the place of what is followed.
    within = Within(pairs["ws"], pairs["network"], names=("PK", "WS"))
    first, second = (within.correlation(pairs[name]) for name in ("first", "second"))
    difference = within.difference(pairs["first"], pairs["second"])
    few = "no interval of r at so few points" if difference.low is None else ""
    if reason := first.reason or second.reason or few:
        return {"quantity": "r", "reason": reason}
    return _found("r", first.value, second.value, difference)


def _found(quantity: str, value: float, other: float, difference: Bounded) -> dict:
    """The part of a row that holds numbers."""
    return {
        "quantity": quantity,
        "value": value,
        "value_other": other,
        "difference": value - other,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "reason": difference.reason,
    }
