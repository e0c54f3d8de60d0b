"""The tests of the paper's claims on which network or family is ahead, and on trends over a family's variants."""

import itertools
from collections.abc import Iterable, Mapping

from channel_sparsity.claims.evidence import Evidence
from channel_sparsity.claims.verdicts import (
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Judgement,
    as_equal,
    by_sign,
    lacking,
    without,
)
from channel_sparsity.naming import FAMILIES, PAPER_FAMILIES, PAPER_NETWORKS, family
from channel_sparsity.statistics.regression import Estimate, combine, mean


def _families(estimates: Mapping[str, Estimate]) -> tuple[dict[str, Estimate], str]:
    """The mean of each family over its networks, and which networks lack an estimate for it, in words.

    A family without all four variants has none: another network of it might be quite different.
    """
    missing = [network for network in PAPER_NETWORKS if network not in estimates]
    whole = {name: [network for network in PAPER_NETWORKS if family(network) == name] for name in PAPER_FAMILIES}
    means = {
        name: mean([estimates[network] for network in networks])
        for name, networks in whole.items()
        if not set(networks) & set(missing)
    }
    return means, without(missing)


def _highest(
    evidence: Evidence, estimates: Mapping[str, Estimate], first: str, wanted: Iterable[str], missing: str
) -> Judgement:
    """Whether `first` is higher than all others that are `wanted`; the number is its least lead.

    Supported where every lead excludes 0, and none is missing; contradicted where some other is certainly higher, with
    Bonferroni's correction for the number of others.
    """
    n = len(evidence.points)
    others = [name for name in wanted if name != first and name in estimates]
    if first not in estimates or not others:
        return lacking(missing, n)
    leads = {name: combine([1, -1], [estimates[first], estimates[name]]) for name in others}
    least = min(leads, key=lambda name: leads[name].value)
    if any(lead.interval(1 - 0.05 / len(others))[1] < 0 for lead in leads.values()):
        verdict = CONTRADICTED
    else:
        every = all(lead.interval()[0] > 0 for lead in leads.values())
        verdict = SUPPORTED if every and not missing else UNDECIDED
    nearest = f"least lead over {FAMILIES[least].label + 's' if least in FAMILIES else evidence.name(least)}"
    return Judgement(
        leads[least].value, *leads[least].interval(), n, verdict, "; ".join(filter(None, [nearest, missing]))
    )


def _of_lines(evidence: Evidence, name: str) -> dict[str, Estimate]:
    """One number (`z`, `m` or `b`) of every network's line, where there is one."""
    return {network: getattr(own, name) for network, own in evidence.lines.items() if getattr(own, name) is not None}


def highest_family(evidence: Evidence, name: str, first: str) -> Judgement:
    """Whether a family's mean of one number of its lines (`z` of r, `m` or `b`) is the highest."""
    means, missing = _families(_of_lines(evidence, name))
    return _highest(evidence, means, first, PAPER_FAMILIES, missing)


def highest_network(evidence: Evidence, name: str, first: str) -> Judgement:
    """Whether a network has the highest of one number of the lines of all twelve."""
    estimates = _of_lines(evidence, name)
    missing = without([network for network in PAPER_NETWORKS if network not in estimates])
    return _highest(evidence, estimates, first, PAPER_NETWORKS, missing)


def _trend(estimates: Mapping[str, Estimate], name: str) -> Estimate | None:
    """The change of a number from variant to variant of a family, by least squares; None unless it has all four."""
    networks = [network for network in PAPER_NETWORKS if family(network) == name]
    if not set(networks) <= set(estimates):
        return None
    weights = [-0.3, -0.1, 0.1, 0.3]  # (i - 1.5) / 5, the slope over 0, 1, 2, 3
    return combine(weights, [estimates[network] for network in networks])


def trend_of_r(evidence: Evidence, name: str, sign: int) -> Judgement:
    """Whether Fisher's z of r rises (sign 1) or falls (-1) over a family's variants, from narrow to wide or deep."""
    estimates, n = _of_lines(evidence, "z"), len(evidence.points)
    trend = _trend(estimates, name)
    if trend is None:
        return lacking(without([each for each in PAPER_NETWORKS if family(each) == name and each not in estimates]), n)
    low, high = trend.interval()
    values = [estimates[network].value for network in PAPER_NETWORKS if family(network) == name]
    ordered = all(sign * (after - before) > 0 for before, after in itertools.pairwise(values))
    remark = "four variants in perfect order have p = 1/24 by order alone" if ordered else "not in perfect order"
    return Judgement(trend.value, low, high, n, by_sign(*sorted((sign * low, sign * high))), remark)


def no_pattern_over_variants(evidence: Evidence) -> Judgement:
    """The strongest trend of the slope over the variants of a family, against the margin of m."""
    estimates, n = _of_lines(evidence, "m"), len(evidence.points)
    trends = {name: trend for name in PAPER_FAMILIES if (trend := _trend(estimates, name)) is not None}
    missing = without([network for network in PAPER_NETWORKS if network not in estimates])
    if not trends:
        return lacking(missing, n)
    margin = evidence.margins["m"]
    strongest = max(trends, key=lambda name: abs(trends[name].value))
    low, high = trends[strongest].interval()
    verdicts = [as_equal(*trend.interval(1 - 0.05 / len(trends)), margin) for trend in trends.values()]
    if CONTRADICTED in verdicts:
        verdict = CONTRADICTED
    else:
        every = all(as_equal(*trend.interval(), margin) == SUPPORTED for trend in trends.values())
        verdict = SUPPORTED if every and not missing else UNDECIDED
    remark = "; ".join(filter(None, [f"strongest among {FAMILIES[strongest].label}s", missing]))
    return Judgement(trends[strongest].value, low, high, n, verdict, remark)
