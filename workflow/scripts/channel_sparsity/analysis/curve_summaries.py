"""Is PK the right summary of a pruning curve, and does its relation with WS hang on the ranking?"""

import pandas

from channel_sparsity.analysis.knee import LOSSES
from channel_sparsity.analysis.records import table
from channel_sparsity.analysis.within import Within, decide, scopes, several

#: What is compared with PK: other ways to sum up a curve.
SUMMARIES = {"pk": "PK", "share_kept": "share kept, over all rates"} | {
    name: f"rate at {100 * loss:.0f} points of loss" for name, loss in LOSSES.items()
}

#: The columns of ``curve_summaries.csv`` and their types.
SUMMARY_COLUMNS = {
    "recipe": str,
    "scope": str,
    "summary": str,
    "n": int,
    "networks": int,
    "r": float,
    "r_low": float,
    "r_high": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "verdict": str,
    "r_with_pk": float,
    "r_with_pk_low": float,
    "r_with_pk_high": float,
    "reason": str,
}

#: The columns of ``random_order.csv`` and their types.
CONTROL_COLUMNS = {
    "recipe": str,
    "control": str,
    "scope": str,
    "n": int,
    "networks": int,
    "m": float,
    "m_low": float,
    "m_high": float,
    "m_control": float,
    "m_control_low": float,
    "m_control_high": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "verdict": str,
    "reason": str,
}


def compare_summaries(levels: pandas.DataFrame) -> pandas.DataFrame:
    """How closely each summary of a curve follows WS, beside PK: ``curve_summaries.csv``.

    Within networks, a row for each recipe, scope and summary: r of the summary and WS; difference: r less that of PK
    and WS, verdict on it as in `compare_measures`; r_with_pk: r of the summary and PK.
    """
    rows = []
    for recipe, group in levels.groupby("recipe", sort=False):
        for scope, cells in scopes(group):
            known = several(cells.dropna(subset=["ws", *SUMMARIES]))
            for name in SUMMARIES:
                row = {"recipe": recipe, "scope": scope, "summary": name, "n": len(known)}
                row["networks"] = known["network"].nunique()
                rows.append(row | _summary(known, name))
    return table(rows, SUMMARY_COLUMNS)


def _summary(known: pandas.DataFrame, name: str) -> dict:
    """What a row of ``curve_summaries.csv`` says."""
    if known.empty:
        return {"verdict": "undecided", "reason": "no network has two cells"}
    # WS takes PK's place: what is asked is how closely it is followed.
    within = Within(known["ws"], known["network"], names=("the summary", "WS"))
    r = within.correlation(known[name])
    row = r.columns("r") | {"reason": r.reason}
    if name == "pk":
        return row | {"verdict": "reference"}
    row["verdict"] = within.verdict(known[name], known["pk"], len(SUMMARIES) - 1)
    row |= within.difference(known[name], known["pk"]).columns("difference")
    return row | Within(known["pk"], known["network"]).correlation(known[name]).columns("r_with_pk")


def compare_with_random(levels: pandas.DataFrame, controls: list[str]) -> pandas.DataFrame:
    """Whether the slope of PK on WS hangs on the ranking: ``random_order.csv``.

    `controls`: the recipes that prune in random order. For each other recipe, control and scope, on the cells that both
    include: m, the slope of PK on WS within networks; m_control, the same under the control; difference, the slope of
    PK less the control's PK on WS, so that what both curves of a network share does not count. verdict: better
    if PK grows faster with WS than it does in random order.
    """
    rows = []
    names = list(dict.fromkeys(levels["recipe"]))
    for control in controls:
        other = levels[levels["recipe"] == control][["network", "lam", "pk"]].rename(columns={"pk": "pk_control"})
        for recipe in (name for name in names if name not in controls):
            both = levels[levels["recipe"] == recipe].merge(other, on=["network", "lam"])
            both = both.dropna(subset=["ws", "pk", "pk_control"])
            if both.empty:
                continue
            for scope, cells in scopes(both):
                cells = several(cells)
                row = {"recipe": recipe, "control": control, "scope": scope, "n": len(cells)}
                rows.append(row | {"networks": cells["network"].nunique()} | _slopes(cells))
    return table(rows, CONTROL_COLUMNS)


def _slopes(cells: pandas.DataFrame) -> dict:
    """What a row of ``random_order.csv`` says."""
    if cells.empty:
        return {"verdict": "undecided", "reason": "no network has two cells"}
    m, control, difference = (
        Within(pk, cells["network"]).slope(cells["ws"])
        for pk in (cells["pk"], cells["pk_control"], cells["pk"] - cells["pk_control"])
    )
    row = {"verdict": decide(difference.low, difference.high), "reason": m.reason}
    return row | m.columns("m") | control.columns("m_control") | difference.columns("difference")
