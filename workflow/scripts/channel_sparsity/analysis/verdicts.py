"""The tests of the paper's claims, a function each: evidence in, a finding with a verdict out."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy
import pandas
from scipy import stats

from channel_sparsity.analysis.comparisons import equivalence
from channel_sparsity.analysis.evidence import Evidence
from channel_sparsity.analysis.labels import label
from channel_sparsity.analysis.pooling import pool
from channel_sparsity.analysis.statistics import Estimate, combine, line, mean, mean_of_values
from channel_sparsity.naming import NETWORKS, family

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"

#: Orders of WS that are tried for a p.
PERMUTATIONS = 9999

#: "Approximately between 2% and 5%" (section 3.3): what rounds to 2 or 5 points is in.
LOSS_AT_PK = (0.015, 0.055)

#: The families, and how people call them.
_FAMILIES = {"vgg": "VGGs", "resnet": "ResNets", "mobilenet": "MobileNets"}


@dataclass(frozen=True)
class Finding:
    """What a test found: the number with its 95 % interval, the points behind it, the verdict, and why or a remark."""

    estimate: float | None
    estimate_low: float | None
    estimate_high: float | None
    n: int
    verdict: str
    reason: str = ""


def _lacking(reason: str, n: int = 0) -> Finding:
    """Undecided, for want of cells."""
    return Finding(None, None, None, n, UNDECIDED, reason)


def _by_sign(low: float, high: float) -> str:
    """The verdict on a claim that a number is positive."""
    return SUPPORTED if low > 0 else CONTRADICTED if high < 0 else UNDECIDED


def _as_equal(low: float | None, high: float | None, margin: float) -> str:
    """The verdict on a claim that a number is as good as 0."""
    return {"equivalent": SUPPORTED, "different": CONTRADICTED}.get(equivalence(low, high, margin), UNDECIDED)


def _within_networks(evidence: Evidence, column: str) -> Finding:
    """Whether a column of the points grows with WS within networks."""
    points = evidence.points
    result = pool(points["ws"], points[column], points["network"])
    if result.m is None:
        return _lacking(result.reason, result.n)
    remark = "" if result.n_networks == 1 else f"one slope for {result.n_networks} networks"
    if result.p_same_slope is not None and result.p_same_slope < 0.05:
        remark += f", which differ in slope (p = {result.p_same_slope:.3f})"
    falling = [network for network, high in _highest_slopes(points, column).items() if high < 0]
    if falling:
        remark += f"{'; ' if remark else ''}falls for certain in {', '.join(map(evidence.name, falling))}"
    return Finding(result.m, result.m_low, result.m_high, result.n, _by_sign(result.m_low, result.m_high), remark)


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
        return _lacking("no network has a WS")
    positive = int((ws > 0).sum())
    low, high = map(float, stats.binomtest(positive, len(ws)).proportion_ci())
    return Finding(positive / len(ws), low, high, len(ws), _by_sign(low - 0.5, high - 0.5))


def ws_grows_with_lambda(evidence: Evidence) -> Finding:
    """The rank correlation of WS and lambda within networks, and its p by permutation within networks.

    The verdict is by p, since Fisher's interval takes a handful of points in perfect order for certain; it is not shown
    then.
    """
    trained = _trained(evidence)
    lam = pandas.to_numeric(trained["lam"], errors="coerce")
    if lam.isna().any():
        return _lacking("the lambdas are not given")
    networks = trained["network"]
    lam, ws = lam.groupby(networks).rank(), trained["ws"].groupby(networks).rank()
    result = pool(lam, ws, networks)
    if result.r is None:
        return _lacking(result.reason, result.n)
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
        return _lacking("needs 2 lambdas of a network", len(evidence.points))
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
        return _lacking("no network is pruned by both methods")
    row = rows.iloc[-1]  # `all`, or the only network
    if math.isnan(row["difference"]):
        return _lacking(row["reason"], row["n"])
    low, high = row["difference_low"], row["difference_high"]
    verdict = _as_equal(low, high, evidence.margins[quantity])
    return Finding(row["difference"], low, high, row["n"], verdict)


def method_matters_little_to_pk(evidence: Evidence) -> Finding:
    """The paired difference of PK between the two methods, against its margin."""
    return _methods(evidence, "pk")


def method_matters_little_to_the_slope(evidence: Evidence) -> Finding:
    """The paired difference of the slope between the two methods, against its margin."""
    return _methods(evidence, "m")


def _families(estimates: Mapping[str, Estimate]) -> tuple[dict[str, Estimate], str]:
    """The mean of each family over its networks, and which networks lack an estimate for it, in words.

    A family without all four variants has none: another network of it might be quite different.
    """
    missing = [network for network in NETWORKS if network not in estimates]
    whole = {name: [network for network in NETWORKS if family(network) == name] for name in _FAMILIES}
    means = {
        name: mean([estimates[network] for network in networks])
        for name, networks in whole.items()
        if not set(networks) & set(missing)
    }
    return means, _without(missing)


def _without(networks: Sequence[str]) -> str:
    """That networks are missing, in words; empty if none is."""
    if len(networks) > 4:
        return f"no estimate for {len(networks)} of the {len(NETWORKS)} networks"
    return f"no estimate for {', '.join(map(label, networks))}" if networks else ""


def _highest(
    evidence: Evidence, estimates: Mapping[str, Estimate], first: str, wanted: Iterable[str], missing: str
) -> Finding:
    """Whether `first` is higher than all others that are `wanted`; the number is its least lead.

    Supported where every lead excludes 0, and none is missing; contradicted where some other is certainly higher, with
    Bonferroni's correction for the number of others.
    """
    n = len(evidence.points)
    others = [name for name in wanted if name != first and name in estimates]
    if first not in estimates or not others:
        return _lacking(missing, n)
    leads = {name: combine([1, -1], [estimates[first], estimates[name]]) for name in others}
    least = min(leads, key=lambda name: leads[name].value)
    if any(lead.interval(1 - 0.05 / len(others))[1] < 0 for lead in leads.values()):
        verdict = CONTRADICTED
    else:
        every = all(lead.interval()[0] > 0 for lead in leads.values())
        verdict = SUPPORTED if every and not missing else UNDECIDED
    nearest = f"least lead over {_FAMILIES.get(least) or evidence.name(least)}"
    return Finding(
        leads[least].value, *leads[least].interval(), n, verdict, "; ".join(filter(None, [nearest, missing]))
    )


def _of_lines(evidence: Evidence, name: str) -> dict[str, Estimate]:
    """One number (`z`, `m` or `b`) of every network's line, where there is one."""
    return {network: getattr(own, name) for network, own in evidence.lines.items() if getattr(own, name) is not None}


def _highest_family(evidence: Evidence, name: str, first: str) -> Finding:
    """Whether a family's mean of one number of its lines is the highest."""
    means, missing = _families(_of_lines(evidence, name))
    return _highest(evidence, means, first, _FAMILIES, missing)


def _highest_network(evidence: Evidence, name: str, first: str) -> Finding:
    """Whether a network has the highest of one number of the lines of all twelve."""
    estimates = _of_lines(evidence, name)
    missing = _without([network for network in NETWORKS if network not in estimates])
    return _highest(evidence, estimates, first, NETWORKS, missing)


def mobilenets_have_the_highest_r(evidence: Evidence) -> Finding:
    """Fisher's z of r, the mean over a family's networks: MobileNets less the next."""
    return _highest_family(evidence, "z", "mobilenet")


def mobilenets_have_the_highest_m(evidence: Evidence) -> Finding:
    """The slope, the mean over a family's networks: MobileNets less the next."""
    return _highest_family(evidence, "m", "mobilenet")


def mobilenet_1_is_the_steepest(evidence: Evidence) -> Finding:
    """The slope of MobileNet 1.00 less that of the next network."""
    return _highest_network(evidence, "m", "mobilenet1.00")


def vggs_have_the_largest_b(evidence: Evidence) -> Finding:
    """The intercept, the mean over a family's networks: VGGs less the next."""
    return _highest_family(evidence, "b", "vgg")


def vgg16_has_the_largest_b(evidence: Evidence) -> Finding:
    """The intercept of VGG-16 less that of the next network."""
    return _highest_network(evidence, "b", "vgg16")


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
        return _lacking("needs a network with PK at lambda 0 and at three others", len(evidence.points))
    difference = mean(differences)
    low, high = difference.interval()
    remark = f"{len(differences)} networks; their mean WS at lambda 0 is {numpy.mean(skewness):.2f}, b is for 0"
    verdict = _as_equal(low, high, evidence.margins["pk"])
    return Finding(
        difference.value, low, high, len(evidence.points), verdict, remark.replace("1 networks", "1 network")
    )


def vggs_prune_without_sparsification(evidence: Evidence) -> Finding:
    """The smallest PK of a VGG at lambda 0, by its interval over locations: more than half of the channels?"""
    cells = evidence.cells
    chosen = cells[(cells["family"] == "vgg") & (cells["lam"] == "0") & cells["included"]].dropna(subset=["pk_low"])
    if chosen.empty:
        return _lacking("no VGG has an interval of PK at lambda 0")
    missing = _without([each for each in NETWORKS if family(each) == "vgg" and each not in set(chosen["network"])])
    least = chosen.loc[chosen["pk"].idxmin()]
    if (chosen["pk_high"] < 0.5).any():
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if (chosen["pk_low"] > 0.5).all() and not missing else UNDECIDED
    return Finding(least["pk"], chosen["pk_low"].min(), least["pk_high"], len(chosen), verdict, missing)


def _trend(estimates: Mapping[str, Estimate], name: str) -> Estimate | None:
    """The change of a number from variant to variant of a family, by least squares; None unless it has all four."""
    networks = [network for network in NETWORKS if family(network) == name]
    if not set(networks) <= set(estimates):
        return None
    weights = [-0.3, -0.1, 0.1, 0.3]  # (i - 1.5) / 5, the slope over 0, 1, 2, 3
    return combine(weights, [estimates[network] for network in networks])


def _trend_of_r(evidence: Evidence, name: str, sign: int) -> Finding:
    """Whether Fisher's z of r rises (sign 1) or falls (-1) from variant to variant of a family."""
    estimates, n = _of_lines(evidence, "z"), len(evidence.points)
    trend = _trend(estimates, name)
    if trend is None:
        return _lacking(_without([each for each in NETWORKS if family(each) == name and each not in estimates]), n)
    low, high = trend.interval()
    values = [estimates[network].value for network in NETWORKS if family(network) == name]
    ordered = all(sign * (after - before) > 0 for before, after in itertools.pairwise(values))
    remark = "four variants in perfect order have p = 1/24 by order alone" if ordered else "not in perfect order"
    return Finding(trend.value, low, high, n, _by_sign(*sorted((sign * low, sign * high))), remark)


def r_rises_with_width(evidence: Evidence) -> Finding:
    """The trend of Fisher's z of r over the MobileNets, from narrow to wide."""
    return _trend_of_r(evidence, "mobilenet", 1)


def r_falls_with_depth(evidence: Evidence) -> Finding:
    """The trend of Fisher's z of r over the VGGs, from shallow to deep."""
    return _trend_of_r(evidence, "vgg", -1)


def no_pattern_over_variants(evidence: Evidence) -> Finding:
    """The strongest trend of the slope over the variants of a family, against the margin of m."""
    estimates, n = _of_lines(evidence, "m"), len(evidence.points)
    trends = {name: trend for name in _FAMILIES if (trend := _trend(estimates, name)) is not None}
    missing = _without([network for network in NETWORKS if network not in estimates])
    if not trends:
        return _lacking(missing, n)
    margin = evidence.margins["m"]
    strongest = max(trends, key=lambda name: abs(trends[name].value))
    low, high = trends[strongest].interval()
    verdicts = [_as_equal(*trend.interval(1 - 0.05 / len(trends)), margin) for trend in trends.values()]
    if CONTRADICTED in verdicts:
        verdict = CONTRADICTED
    else:
        every = all(equivalence(*trend.interval(), margin) == "equivalent" for trend in trends.values())
        verdict = SUPPORTED if every and not missing else UNDECIDED
    remark = "; ".join(filter(None, [f"strongest among {_FAMILIES[strongest]}", missing]))
    return Finding(trends[strongest].value, low, high, n, verdict, remark)
