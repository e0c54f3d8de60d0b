"""The tests of the paper's claims on WS, PK and methods, a function each: evidence in, a judgement out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import pandas
from scipy import stats

from channel_sparsity.claims.evidence import Evidence
from channel_sparsity.naming import PAPER_NETWORKS, family, label
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import line, mean_of_values, sign
from channel_sparsity.statistics.replicates import ENOUGH
from channel_sparsity.statistics.slopes import mean_over_networks, over_networks, slopes
from channel_sparsity.tables.comparisons import equivalence
from channel_sparsity.words import points

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"

#: "Approximately between 2% and 5%" (section 3.3): what rounds to 2 or 5 points is in.
LOSS_AT_PK = (0.015, 0.055)


@dataclass(frozen=True)
class Judgement:
    """What a test says: the number with its 95 % interval, the points behind it, the verdict, and why or a remark."""

    estimate: float | None
    estimate_low: float | None
    estimate_high: float | None
    n: int
    verdict: str
    reason: str = ""


def lacking(reason: str, n: int = 0) -> Judgement:
    """Undecided, for want of cells."""
    return Judgement(None, None, None, n, UNDECIDED, reason)


def by_sign(low: float | None, high: float | None) -> str:
    """The verdict on a claim that a number is positive."""
    return sign(low, high, SUPPORTED, CONTRADICTED)


def as_equal(low: float | None, high: float | None, margin: float) -> str:
    """The verdict on a claim that a number is as good as 0."""
    return {"equivalent": SUPPORTED, "different": CONTRADICTED}.get(equivalence(low, high, margin), UNDECIDED)


def without(networks: Sequence[str]) -> str:
    """That networks are missing, in words; empty if none is."""
    if len(networks) > 4:
        return f"no estimate for {len(networks)} of the {len(PAPER_NETWORKS)} networks"
    return f"no estimate for {', '.join(map(label, networks))}" if networks else ""


def grows(evidence: Evidence, column: str) -> Judgement:
    """Whether a column of the points grows with WS: the mean slope over networks (`over_networks`)."""
    own = slopes(evidence.points, column)
    mean, n = over_networks(own), len(evidence.points)
    if mean.value is None:
        return lacking(mean.reason, n)
    remark = f"mean of {len(own)} networks" if len(own) > 1 else "one network, by its own line"
    if mean.low is None:
        remark += f"; {mean.reason}"
    falling = [name for name, each in own.items() if each.interval(1 - 0.05 / len(own))[1] < 0]
    if falling:
        remark += f"; falls for certain in {', '.join(map(evidence.name, falling))}"
    return Judgement(mean.value, mean.low, mean.high, n, by_sign(mean.low, mean.high), remark)


#: What is true of a study by the way its grid of lambdas was chosen.
_BY_DESIGN = "by design: grids of lambda are chosen so that WS rises"


def _trained(evidence: Evidence) -> dict[str, pandas.DataFrame]:
    """By network: lam and WS, the mean over seeds, of those within the limit of lambda, pruned well or not."""
    cells = evidence.cells[evidence.cells["within_limit"]].dropna(subset=["ws"])
    return dict(iter(over_seeds(cells, ["ws"]).groupby("network", sort=False)))


def _share(holds: Sequence[bool], remark: str) -> Judgement:
    """In how many networks something holds: more than half, or fewer, by the exact binomial interval?"""
    low, high = map(float, stats.binomtest(sum(holds), len(holds)).proportion_ci())
    return Judgement(sum(holds) / len(holds), low, high, len(holds), by_sign(low - 0.5, high - 0.5), remark)


def ws_above_zero(evidence: Evidence) -> Judgement:
    """The share of the networks whose WS is positive at every lambda."""
    trained = _trained(evidence)
    if not trained:
        return lacking("no network has a WS")
    return _share([bool((own["ws"] > 0).all()) for own in trained.values()], _BY_DESIGN)


def ws_grows_with_lambda(evidence: Evidence) -> Judgement:
    """The share of the networks, of those with three lambdas, in which WS rises with lambda (Kendall's tau above 0)."""
    trained = [own for own in _trained(evidence).values() if len(own) > 2]
    if not trained:
        return lacking("no network has three lambdas with a WS")
    if any(pandas.to_numeric(own["lam"], errors="coerce").isna().any() for own in trained):
        return lacking("the lambdas are not given")
    return _share([stats.kendalltau(own["lam"].map(float), own["ws"]).statistic > 0 for own in trained], _BY_DESIGN)


def loss_at_pk(evidence: Evidence) -> Judgement:
    """The mean loss at PK of every network: within 2 to 5 points, or one of them outside?

    The interval shown reaches from the lowest bound of a network to the highest; each holds 95 % for all networks
    together (Bonferroni). Supported only if every network that was pruned has a loss at two lambdas.
    """
    losses = {network: own["accuracy_loss_at_pk"] for network, own in evidence.points.groupby("network", sort=False)}
    known = {network: mean_of_values(loss) for network, loss in losses.items() if len(loss) > 1}
    if not known:
        return lacking("needs 2 lambdas of a network", len(evidence.points))
    intervals = {network: each.interval(1 - 0.05 / len(known)) for network, each in known.items()}
    least, most = LOSS_AT_PK
    outside = [network for network, (low, high) in intervals.items() if high < least or low > most]
    low, high = min(low for low, _ in intervals.values()), max(high for _, high in intervals.values())
    missing = without([network for network in dict.fromkeys(evidence.cells["network"]) if network not in known])
    inside = least <= low and high <= most and not missing
    reasons = [f"outside for certain: {', '.join(map(evidence.name, outside))}" if outside else "", missing]
    if "accuracy_loss_held_out" in evidence.cells:
        held_out = evidence.cells.loc[evidence.cells["included"], "accuracy_loss_held_out"].mean()
        if not math.isnan(held_out):
            reasons.append(f"read from clips that did not place PK: {points(held_out)} points")
    estimate = float(numpy.mean([each.value for each in known.values()]))
    verdict = CONTRADICTED if outside else SUPPORTED if inside else UNDECIDED
    return Judgement(estimate, low, high, len(evidence.points), verdict, "; ".join(filter(None, reasons)))


def methods(evidence: Evidence, quantity: str) -> Judgement:
    """Whether the two methods are equivalent in PK (`pk`) or its slope (`m`), over all networks that both prune."""
    rows = evidence.methods[evidence.methods["quantity"] == quantity]
    if rows.empty:
        return lacking("no network is pruned by both methods")
    row = rows.iloc[-1]  # `all`, or the only network
    if math.isnan(row["difference"]):
        return lacking(row["reason"], row["n"])
    low, high = row["difference_low"], row["difference_high"]
    verdict = as_equal(low, high, evidence.margins[quantity])
    return Judgement(row["difference"], low, high, row["n"], verdict)


def b_is_pk_without_sparsification(evidence: Evidence) -> Judgement:
    """b of the line through the other lambdas less PK at lambda 0, the mean over networks, against the margin of PK."""
    differences, skewness = [], []
    for _, own in evidence.points.groupby("network", sort=False):
        unpenalised = own["lam"] == "0"
        rest = own[~unpenalised]
        if unpenalised.any() and len(rest) > 2 and numpy.ptp(rest["ws"]) > 0:
            _, b = line(rest["ws"], rest["pk"])
            differences.append(b.value - float(own.loc[unpenalised, "pk"].iloc[0]))
            skewness.append(own.loc[unpenalised, "ws"].iloc[0])
    if not differences:
        return lacking("no network has PK at lambda 0 and at three others", len(evidence.points))
    mean = mean_over_networks(differences)
    remark = f"{len(differences)} networks; their mean WS at lambda 0 is {numpy.mean(skewness):.2f}, b is for 0"
    remark += f"; {mean.reason}" if mean.reason else ""
    verdict = as_equal(mean.low, mean.high, evidence.margins["pk"])
    return Judgement(mean.value, mean.low, mean.high, len(evidence.points), verdict, remark)


def vggs_prune_without_sparsification(evidence: Evidence) -> Judgement:
    """The smallest PK of a VGG at lambda 0: more than half of the channels? Its interval is over trainings (seeds).

    Each of the VGGs' intervals holds 95 % for all of them together (Bonferroni).
    """
    cells, vggs = evidence.cells, [network for network in PAPER_NETWORKS if family(network) == "vgg"]
    chosen = cells[cells["network"].isin(vggs) & (cells["lam"] == "0") & cells["included"]].dropna(subset=["pk"])
    if chosen.empty:
        return lacking("no VGG has a PK at lambda 0")
    pk = {network: own["pk"].to_numpy() for network, own in chosen.groupby("network", sort=False)}
    least = min(pk, key=lambda network: pk[network].mean())
    if min(map(len, pk.values())) < ENOUGH:
        return Judgement(pk[least].mean(), None, None, len(chosen), UNDECIDED, f"needs {ENOUGH} seeds of every VGG")
    intervals = {network: mean_of_values(own).interval(1 - 0.05 / len(pk)) for network, own in pk.items()}
    missing = without([each for each in vggs if each not in pk])
    if any(high < 0.5 for _, high in intervals.values()):
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if all(low > 0.5 for low, _ in intervals.values()) and not missing else UNDECIDED
    return Judgement(pk[least].mean(), *intervals[least], len(chosen), verdict, missing)
