"""What a pruning curve is summed up to, at every dose of repair: its reliability, and its slope on WS (R17, R24)."""

from collections.abc import Mapping, Sequence

import pandas
from scipy import stats

from channel_sparsity.measuring.knee import CHECKS
from channel_sparsity.naming import ALL
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import Bounded, mean_of_values, pearson, sign
from channel_sparsity.statistics.slopes import ENOUGH, mean_over_networks, over_networks, slopes
from channel_sparsity.statistics.within import scopes
from channel_sparsity.tables.saving import table

#: What a curve can be summed up to: PK as the study finds it, PK by each rule, and what needs no knee.
OUTCOMES = {
    "pk": "Prune Knee",
    "fixed_ends": "PK, fixed ends",
    "literal": "PK, section 2.3",
    "kneed": "PK, kneed offline",
    "kneed_online": "PK, kneed online",
    "rate_within_margin": "rate within the margin of the network's best accuracy",
    "share_kept": "share kept, over all rates",
    "mean_accuracy": "mean accuracy, over all rates",
}

#: The columns of ``outcomes.csv`` and their types.
COLUMNS = {
    "criterion": str,
    "repair": str,
    "outcome": str,
    "scope": str,
    "n": int,
    "networks": int,
    "seeds": int,
    "known": float,
    "loss": float,
    "reliability": float,
    "reliability_low": float,
    "reliability_high": float,
    "r": float,
    "m": float,
    "m_low": float,
    "m_high": float,
    "m_control": float,
    "m_control_low": float,
    "m_control_high": float,
    "networks_gain": int,
    "gain": float,
    "gain_low": float,
    "gain_high": float,
    "verdict": str,
    "reason": str,
}

#: The columns of ``criteria.csv`` and their types.
CRITERIA = {
    "repair": str,
    "criterion": str,
    "scope": str,
    "networks": int,
    "seeds": int,
    "sparse": float,
    "dense": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "verdict": str,
}


def outcomes_of(cells: pandas.DataFrame, knees: Sequence[Mapping]) -> pandas.DataFrame:
    """Every outcome of the cells that count for it, and the loss at each knee.

    `cells`: the table of that name, `knees`: the ``knee.json`` of each of its rows. A cell counts if it was trained,
    lies within the limit of lambda and has a WS; where an outcome is missing, it is missing.
    """
    rows = []
    for cell, knee in zip(cells.to_dict("records"), knees, strict=True):
        found = {name: knee["cross_checks"][name] for name in CHECKS}
        losses = {f"loss_{name}": knee["cross_check_losses"][name] for name in CHECKS}
        rows.append(cell | found | losses | {"share_kept": knee["summaries"]["share_kept"]})
    frame = pandas.DataFrame(rows).rename(columns={"accuracy_loss_at_pk": "loss_pk"})
    names = [name for name in frame if name in OUTCOMES or name.startswith("loss_")]
    counts = frame["within_limit"] & (frame["training_status"] == "trained")
    return frame[counts].dropna(subset=["ws"]).astype(dict.fromkeys(names, float))


def compare_outcomes(cells: pandas.DataFrame, controls: Sequence[str]) -> pandas.DataFrame:
    """Each outcome of each criterion and repair, in all networks and in each: ``outcomes.csv``.

    `cells`: from `outcomes_of`. `controls`: the criteria that take channels in random order; the first is what others
    are compared with, at the same repair. Of the means over the seeds of each lambda:

    - known: the share of the cells that have the outcome; loss: the mean loss at it, where it is a knee;
    - reliability (`reliability`) of single cells over seeds;
    - r with WS, of one network; m: the slope on WS, m_control: the same in random order, and gain: the slope of the
      outcome less the control's. Of all networks it is the mean over networks (`over_networks`);
    - verdict: whether the gain is positive or negative by its interval; of all networks that takes `ENOUGH` of them.
    """
    rows = []
    recipes = cells[["criterion", "repair"]].drop_duplicates().itertuples(index=False)
    for criterion, repair in recipes:
        own = cells[(cells["criterion"] == criterion) & (cells["repair"] == repair)]
        random = cells[cells["criterion"].isin(controls[:1]) & (cells["repair"] == repair)]
        control = random if criterion not in controls else random.iloc[:0]
        for outcome in OUTCOMES:
            for scope, chosen in scopes(own):
                row = {"criterion": criterion, "repair": repair, "outcome": outcome, "scope": scope}
                row |= _row(chosen, control, outcome)
                if scope == ALL and row["networks_gain"] < ENOUGH:
                    row["verdict"] = "undecided"
                rows.append(row)
    return table(rows, COLUMNS)


def _row(cells: pandas.DataFrame, control: pandas.DataFrame, outcome: str) -> dict:
    """What a row of ``outcomes.csv`` says."""
    known = cells.dropna(subset=[outcome])
    points = over_seeds(known, ["ws", outcome])
    own, r = slopes(points, outcome), None
    if cells["network"].nunique() == 1:
        _, r = pearson(points["ws"], points[outcome])
    m = over_networks(own)
    row = {
        "n": len(points),
        "networks": len(own),
        "seeds": int(known.groupby(["network", "lam"]).size().max()) if len(known) else 0,
        "known": len(known) / len(cells),
        "loss": known[f"loss_{outcome}"].mean() if f"loss_{outcome}" in known else None,
        "r": r,
        "reason": m.reason,
    }
    row |= reliability(known, outcome).columns("reliability") | m.columns("m")
    keys = ["network", "lam", "seed"]
    both = known.merge(control[[*keys, outcome]].dropna(), on=keys, suffixes=("", "_control"))
    gain, gained = Bounded(), {}
    if len(both):
        both = both.assign(gain=both[outcome] - both[f"{outcome}_control"])
        points = over_seeds(both, ["ws", f"{outcome}_control", "gain"])
        row |= over_networks(slopes(points, f"{outcome}_control")).columns("m_control")
        gained = slopes(points, "gain")
        gain = over_networks(gained)
    return row | {"networks_gain": len(gained)} | gain.columns("gain") | {"verdict": sign(gain.low, gain.high)}


def reliability(cells: pandas.DataFrame, column: str) -> Bounded:
    """How far two seeds agree on which lambda of a network has the higher number: the intraclass correlation, ICC(1).

    Of single cells, within networks, from a one-way analysis of variance (Shrout & Fleiss 1979) over the lambdas that
    have two seeds or more: 1 where seeds agree, 0 where lambdas differ no more than seeds do. The interval is that of
    the F ratio. No r of single cells with anything can be expected above its root.
    """
    cells = cells[["network", "lam", column]]
    groups = cells.groupby(["network", "lam"])[column]
    cells = cells[groups.transform("size") > 1]
    cells = cells[cells.groupby("network")["lam"].transform("nunique") > 1]
    if cells.empty:
        return Bounded(reason="needs two seeds of two lambdas")
    groups = cells.groupby(["network", "lam"])[column]
    mean, size = groups.transform("mean"), groups.transform("size")
    among = mean - cells.groupby("network")[column].transform("mean")
    df_within = len(cells) - groups.ngroups
    df_among = groups.ngroups - cells["network"].nunique()
    within, between = ((cells[column] - mean) ** 2).sum() / df_within, (among**2).sum() / df_among
    if within <= 1e-15:
        return Bounded(1.0 if between > 1e-15 else None, reason="seeds do not differ")
    seeds = float(stats.hmean(size))

    def of(ratio: float) -> float:
        return float((ratio - 1) / (ratio + seeds - 1))

    ratio = between / within
    low, high = stats.f.ppf(0.975, df_among, df_within), stats.f.ppf(0.975, df_within, df_among)
    return Bounded(of(ratio), of(ratio / low), of(ratio * high))


def compare_criteria(cells: pandas.DataFrame, sparse: str = "slimming") -> pandas.DataFrame:
    """Does training for sparsity let more channels go than a good criterion does without it: ``criteria.csv``.

    At matched accuracy, the outcome ``rate_within_margin``. sparse: of the networks trained with the largest lambda
    that counts, by the criterion `sparse`; dense: of those trained with lambda 0, by each criterion, at the same
    repair. The interval of one network is over seeds (a paired t), of all over networks.
    """
    rows = []
    for repair, own in cells.groupby("repair", sort=False):
        lam = own["lam"].map(float)
        largest = lam.groupby(own["network"]).transform("max")
        limit = own[(lam == largest) & (lam > 0) & (own["criterion"] == sparse)]
        for criterion, dense in own[lam == 0].groupby("criterion", sort=False):
            pairs = limit.merge(dense, on=["network", "seed"], suffixes=("", "_dense"))
            pairs = pairs.assign(difference=pairs["rate_within_margin"] - pairs["rate_within_margin_dense"])
            pairs = pairs.dropna(subset=["difference"])
            for scope, chosen in scopes(pairs) if len(pairs) else ():
                if scope == ALL:
                    bounds = mean_over_networks(chosen.groupby("network")["difference"].mean())
                else:
                    bounds = _over_seeds(chosen)
                row = {"repair": repair, "criterion": criterion, "scope": scope}
                row |= {"networks": chosen["network"].nunique(), "seeds": chosen["seed"].nunique()}
                row["sparse"] = chosen["rate_within_margin"].mean()
                row["dense"] = chosen["rate_within_margin_dense"].mean()
                rows.append(row | bounds.columns("difference") | {"verdict": sign(bounds.low, bounds.high)})
    return table(rows, CRITERIA)


def _over_seeds(pairs: pandas.DataFrame) -> Bounded:
    """The mean difference of one network over its seeds; no interval of a single one."""
    if len(pairs) < 2:
        return Bounded(float(pairs["difference"].iloc[0]))
    return mean_of_values(pairs["difference"]).bounded()
