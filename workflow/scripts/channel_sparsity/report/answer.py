"""The study's answer in three sentences, made from its tables: all networks together, each by itself, every claim.

A sentence says no more than the interval behind it: what an interval does not settle is undecided.
"""

import pandas

from channel_sparsity.analysis.paper import METHODS
from channel_sparsity.analysis.plotting import network_labels
from channel_sparsity.analysis.verdicts import CONTRADICTED, SUPPORTED, UNDECIDED
from channel_sparsity.report.words import count, listed, points, r_of

#: How the first sentence begins, by what the claim that PK grows with WS came to.
_OPENINGS = {
    SUPPORTED: "Yes, in this study: sparser networks prune better",
    CONTRADICTED: "No, in this study sparser networks prune worse",
    UNDECIDED: "This study does not decide whether sparser networks prune better",
}

#: So many rows are all named; of more, those that an interval settles.
_FEW = 6


def answer(
    claims: pandas.DataFrame, pooled: pandas.DataFrame, correlation: pandas.DataFrame, cells: pandas.DataFrame
) -> list[str]:
    """Three sentences (with what qualifies them) on whether Prune Knee grows with Weight Skewness.

    The tables are those of the names, in the types of their columns; `cells` names the networks.
    """
    own = correlation[correlation["recipe"].isin(METHODS)]
    if own.empty:
        own = correlation
    names = network_labels(cells)
    return [_together(claims, pooled), _one_by_one(own, names), _claims(claims)]


def method(recipe: str) -> str:
    """Who a recipe follows, in words."""
    return f"{METHODS[recipe]}'s method" if recipe in METHODS else f"the recipe {recipe}"


def _together(claims: pandas.DataFrame, pooled: pandas.DataFrame) -> str:
    """How much larger PK is where WS is larger by 1, within networks."""
    rows = claims[claims["claim"] == "pk_grows_with_ws"]
    verdicts = list(dict.fromkeys(rows["verdict"]))
    opening = _OPENINGS[verdicts[0]] if len(verdicts) == 1 else "It depends on the pruning method"
    return f"{opening}: {'; '.join(_slope(row, pooled) for row in rows.to_dict('records'))}."


def _slope(row: dict, pooled: pandas.DataFrame) -> str:
    """The slope within the networks that one recipe pruned, with its interval, and whether one slope suits them."""
    pruned = f"pruned by {method(row['recipe'])}"
    if pandas.isna(row["estimate"]):
        return f"{pruned}, there is no slope ({row['reason']})"
    # The row of all the networks; there is none of a single one.
    together = pooled[pooled["recipe"] == row["recipe"]].sort_values("n_networks").tail(1)
    networks = int(together["n_networks"].iloc[0]) if len(together) else 1
    change = "higher" if row["estimate"] > 0 else "lower"
    text = f"{pruned}, PK is {points(abs(row['estimate']))} points {change} where WS is larger by 1"
    if not pandas.isna(row["estimate_low"]):
        text += f" (95 % interval: {points(row['estimate_low'])} to {points(row['estimate_high'])} points"
        text += f"; {count(row['n'], 'point')} of {count(networks, 'network')})"
    if len(together) and together["p_same_slope"].iloc[0] < 0.05:
        text += (
            f", but the networks differ in slope (p = {together['p_same_slope'].iloc[0]:.3f}), so that one for all "
            "says little"
        )
    return text


def _one_by_one(correlation: pandas.DataFrame, names: dict[str, str]) -> str:
    """In how many networks the interval of r leaves out 0, and on which side."""
    several = correlation["recipe"].nunique() > 1
    known = correlation.dropna(subset=["r_low"])
    what = "pair of network and method" if several else "network"
    total = len(correlation)
    whole = what.replace("pair", "pairs") if several else f"{what}{'s' * (total != 1)}"
    if known.empty:
        return f"Network by network, none of the {total} {whole} has enough points for an interval of r."

    def named(rows: pandas.DataFrame) -> str:
        if rows.empty or (len(rows) > _FEW):
            return ""
        texts = []
        for row in rows.to_dict("records"):
            by = f", {METHODS.get(row['recipe'], row['recipe'])}" if several else ""
            texts.append(f"{names[row['network']]}{by}: {r_of(row)}")
        return f" ({'; '.join(texts)})"

    above, below = known[known["r_low"] > 0], known[known["r_high"] < 0]
    open_ = known.drop([*above.index, *below.index])
    parts = [
        f"above 0 in {len(above) or 'none'}{named(above)}",
        f"below 0 in {len(below) or 'none'}{named(below)}",
        f"on both sides of it in {len(open_) or 'none'}{named(open_)}",
    ]
    lacking = total - len(known)
    without = f"; {lacking} {'has' if lacking == 1 else 'have'} no interval" if lacking else ""
    return f"Of {total} {whole}, the 95 % interval of the correlation r of WS and PK lies {listed(parts)}{without}."


def _claims(claims: pandas.DataFrame) -> str:
    """What came of the paper's claims, and of the one on methods in numbers."""
    tally = claims["verdict"].value_counts()
    lacking = ((claims["verdict"] == UNDECIDED) & claims["estimate"].isna()).sum()
    undecided = f"{tally.get(UNDECIDED, 0)} undecided"
    undecided += f" ({lacking} of them because the study lacks the cells)" if lacking else ""
    text = (
        f"Of the paper's {claims['claim'].nunique()} claims, put to {count(len(claims), 'test')}, "
        f"{tally.get(SUPPORTED, 0)} come out supported, {tally.get(CONTRADICTED, 0)} contradicted and {undecided}"
    )
    (methods,) = claims[claims["claim"] == "method_matters_little_to_pk"].to_dict("records")
    if not pandas.isna(methods["estimate_low"]):
        text += (
            f"; Liu et al.'s PK less Ye et al.'s is {points(methods['estimate'])} points "
            f"({points(methods['estimate_low'])} to {points(methods['estimate_high'])})"
        )
    return f"{text}."
