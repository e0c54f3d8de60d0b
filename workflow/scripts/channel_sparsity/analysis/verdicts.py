"""The tests of the paper's claims on WS, PK and methods, a function each: evidence in, a finding with a verdict out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import pandas
from scipy import stats

from channel_sparsity.analysis.comparisons import equivalence
from channel_sparsity.analysis.evidence import Evidence
from channel_sparsity.analysis.labels import label
from channel_sparsity.analysis.pooling import pool
from channel_sparsity.analysis.statistics import Estimate, line, mean, mean_of_values
from channel_sparsity.naming import PAPER_NETWORKS, family

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"

#: Orders of WS that are tried for a p.
PERMUTATIONS = 9999

#: "Approximately between 2% and 5%" (section 3.3): what rounds to 2 or 5 points is in.
LOSS_AT_PK = (0.015, 0.055)


@dataclass(frozen=True)
class Finding:
    """What a test found: the number with its 95 % interval, the points behind it, the verdict, and why or a remark."""

    estimate: float | None
    estimate_low: float | None
    estimate_high: float | None
    n: int
    verdict: str
    reason: str = ""


def lacking(reason: str, n: int = 0) -> Finding:
    """Undecided, for want of cells."""
    return Finding(None, None, None, n, UNDECIDED, reason)


def by_sign(low: float, high: float) -> str:
    """The verdict on a claim that a number is positive."""
    return SUPPORTED if low > 0 else CONTRADICTED if high < 0 else UNDECIDED


def as_equal(low: float | None, high: float | None, margin: float) -> str:
    """The verdict on a claim that a number is as good as 0."""
    return {"equivalent": SUPPORTED, "different": CONTRADICTED}.get(equivalence(low, high, margin), UNDECIDED)


def without(networks: Sequence[str]) -> str:
    """That networks are missing, in words; empty if none is."""
    if len(networks) > 4:
        return f"no estimate for {len(networks)} of the {len(PAPER_NETWORKS)} networks"
    return f"no estimate for {', '.join(map(label, networks))}" if networks else ""


def _within_networks(evidence: Evidence, column: str) -> Finding:
    """Whether a column of the points grows with WS within networks."""
    points = evidence.points
    result = pool(points["ws"], points[column], points["network"])
    if result.m is None:
        return lacking(result.reason, result.n)
    remark = "" if result.n_networks == 1 else f"one slope for {result.n_networks} networks"
    if result.p_same_slope is not None and result.p_same_slope < 0.05:
        remark += f", which differ in slope (p = {result.p_same_slope:.3f})"
    falling = [network for network, high in _highest_slopes(points, column).items() if high < 0]
    if falling:
        remark += f"{'; ' if remark else ''}falls for certain in {', '.join(map(evidence.name, falling))}"
    return Finding(result.m, result.m_low, result.m_high, result.n, by_sign(result.m_low, result.m_high), remark)


def _highest_slopes(points: pandas.DataFrame, column: str) -> dict[str, float]:
    """The upper bound of each network's own slope on WS, 95 % for all networks together (Bonferroni)."""
    own = {network: each for network, each in points.groupby("network", sort=False) if each["ws"].nunique() > 2}
    return {
        network: line(each["ws"], each[column])[0].interval(1 - 0.05 / len(own))[1] for network, each in own.items()
    }


def pk_grows_with_ws(evidence: Evidence) -> Finding:
    """The common slope of PK on WS, each network with an intercept of its own."""
    return _within_networks(evidence, "pk")


def compression_grows_with_ws(evidence: Evidence) -> Finding:
    """The common slope of the compression rate at PK on WS, each network with an intercept of its own."""
    return _within_networks(evidence, "compression_rate")


def _trained(evidence: Evidence) -> pandas.DataFrame:
    """Network, lam and WS, the mean over seeds, of the networks within the limit of lambda, pruned well or not."""
    cells = evidence.cells[evidence.cells["within_limit"]].dropna(subset=["ws"])
    return cells.groupby(["network", "lam"], sort=False)["ws"].mean().reset_index()


def ws_above_zero(evidence: Evidence) -> Finding:
    """The share of the networks at each lambda that have a positive WS: more than half, or fewer?"""
    ws = _trained(evidence)["ws"]
    if ws.empty:
        return lacking("no network has a WS")
    positive = int((ws > 0).sum())
    low, high = map(float, stats.binomtest(positive, len(ws)).proportion_ci())
    return Finding(positive / len(ws), low, high, len(ws), by_sign(low - 0.5, high - 0.5))


def ws_grows_with_lambda(evidence: Evidence) -> Finding:
    """The rank correlation of WS and lambda within networks, and its p by permutation within networks.

    The verdict is by p, since Fisher's interval takes a handful of points in perfect order for certain; it is not shown
    then.
    """
    trained = _trained(evidence)
    lam = pandas.to_numeric(trained["lam"], errors="coerce")
    if lam.isna().any():
        return lacking("the lambdas are not given")
    networks = trained["network"]
    lam, ws = lam.groupby(networks).rank(), trained["ws"].groupby(networks).rank()
    result = pool(lam, ws, networks)
    if result.r is None:
        return lacking(result.reason, result.n)
    p_up, p_down = _permuted(lam.to_numpy(), ws.to_numpy(), networks.to_numpy())
    verdict = SUPPORTED if p_up <= 0.025 else CONTRADICTED if p_down <= 0.025 else UNDECIDED
    perfect = abs(result.r) > 1 - 1e-9
    low, high = (None, None) if perfect else (result.r_low, result.r_high)
    return Finding(result.r, low, high, result.n, verdict, f"one-sided p = {min(p_up, p_down):.4f}")


def _permuted(x: numpy.ndarray, y: numpy.ndarray, networks: numpy.ndarray) -> tuple[float, float]:
    """One-sided p of y rising, and of y falling, with x: of as many orders of y within networks from a fixed seed."""
    rng = numpy.random.default_rng(0)
    observed, drawn = 0.0, numpy.zeros(PERMUTATIONS)
    for network in dict.fromkeys(networks):
        dx, own = x[networks == network] - x[networks == network].mean(), y[networks == network]
        observed += dx @ own
        drawn += rng.permuted(numpy.tile(own, (PERMUTATIONS, 1)), axis=1) @ dx
    up, down = ((drawn >= observed - 1e-9).sum(), (drawn <= observed + 1e-9).sum())
    return float(up + 1) / (PERMUTATIONS + 1), float(down + 1) / (PERMUTATIONS + 1)


def loss_at_pk(evidence: Evidence) -> Finding:
    """The mean loss at PK of every network: within 2 to 5 points, or one of them outside?

    The interval shown reaches from the lowest bound of a network to the highest; each holds 95 % for all networks
    together (Bonferroni).
    """
    losses = {network: own["accuracy_loss_at_pk"] for network, own in evidence.points.groupby("network", sort=False)}
    known = {network: mean_of_values(loss) for network, loss in losses.items() if len(loss) > 1}
    if not known:
        return lacking("needs 2 lambdas of a network", len(evidence.points))
    intervals = {network: each.interval(1 - 0.05 / len(known)) for network, each in known.items()}
    least, most = LOSS_AT_PK
    outside = [network for network, (low, high) in intervals.items() if high < least or low > most]
    low, high = min(low for low, _ in intervals.values()), max(high for _, high in intervals.values())
    verdict = CONTRADICTED if outside else SUPPORTED if least <= low and high <= most else UNDECIDED
    reason = f"outside for certain: {', '.join(map(evidence.name, outside))}" if outside else ""
    if "accuracy_loss_held_out" in evidence.cells:
        held_out = evidence.cells.loc[evidence.cells["included"], "accuracy_loss_held_out"].mean()
        reason += "; " if reason else ""
        reason += f"read from clips that did not place PK: {100 * held_out:.1f} points" if held_out == held_out else ""
    estimate = float(numpy.mean([each.value for each in known.values()]))
    return Finding(estimate, low, high, len(evidence.points), verdict, reason)


def _methods(evidence: Evidence, quantity: str) -> Finding:
    """Whether the two methods are equivalent, over all networks that both prune."""
    rows = evidence.methods[evidence.methods["quantity"] == quantity]
    if rows.empty:
        return lacking("no network is pruned by both methods")
    row = rows.iloc[-1]  # `all`, or the only network
    if math.isnan(row["difference"]):
        return lacking(row["reason"], row["n"])
    low, high = row["difference_low"], row["difference_high"]
    verdict = as_equal(low, high, evidence.margins[quantity])
    return Finding(row["difference"], low, high, row["n"], verdict)


def method_matters_little_to_pk(evidence: Evidence) -> Finding:
    """The paired difference of PK between the two methods, against its margin."""
    return _methods(evidence, "pk")


def method_matters_little_to_the_slope(evidence: Evidence) -> Finding:
    """The paired difference of the slope between the two methods, against its margin."""
    return _methods(evidence, "m")


def b_is_pk_without_sparsification(evidence: Evidence) -> Finding:
    """b of the line through the other lambdas, less PK at lambda 0, the mean over networks, against the margin of PK.

    The error holds that of b and, since PK at lambda 0 is a single point, the scatter of points about the line.
    """
    differences, skewness = [], []
    for _, own in evidence.points.groupby("network", sort=False):
        unpenalised = own["lam"] == "0"
        rest = own[~unpenalised]
        if unpenalised.any() and len(rest) > 2 and numpy.ptp(rest["ws"]) > 0:
            m, b = line(rest["ws"], rest["pk"])
            scatter = m.error * math.sqrt(((rest["ws"] - rest["ws"].mean()) ** 2).sum())
            value = b.value - float(own.loc[unpenalised, "pk"].iloc[0])
            differences.append(Estimate(value, math.hypot(b.error, scatter), b.df))
            skewness.append(own.loc[unpenalised, "ws"].iloc[0])
    if not differences:
        return lacking("needs a network with PK at lambda 0 and at three others", len(evidence.points))
    difference = mean(differences)
    low, high = difference.interval()
    remark = f"{len(differences)} networks; their mean WS at lambda 0 is {numpy.mean(skewness):.2f}, b is for 0"
    verdict = as_equal(low, high, evidence.margins["pk"])
    return Finding(
        difference.value, low, high, len(evidence.points), verdict, remark.replace("1 networks", "1 network")
    )


def vggs_prune_without_sparsification(evidence: Evidence) -> Finding:
    """The smallest PK of a VGG at lambda 0, by its interval over locations: more than half of the channels?"""
    cells = evidence.cells
    chosen = cells[(cells["family"] == "vgg") & (cells["lam"] == "0") & cells["included"]].dropna(subset=["pk_low"])
    if chosen.empty:
        return lacking("no VGG has an interval of PK at lambda 0")
    missing = without([each for each in PAPER_NETWORKS if family(each) == "vgg" and each not in set(chosen["network"])])
    least = chosen.loc[chosen["pk"].idxmin()]
    if (chosen["pk_high"] < 0.5).any():
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if (chosen["pk_low"] > 0.5).all() and not missing else UNDECIDED
    return Finding(least["pk"], chosen["pk_low"].min(), least["pk_high"], len(chosen), verdict, missing)
