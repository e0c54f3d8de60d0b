"""Prune Knee: how far a network can be pruned before its accuracy gives way (section 2.3; R19 to R21)."""

import itertools
import math
import warnings
from dataclasses import asdict, dataclass, replace

import numpy
import pandas
from scipy.optimize import isotonic_regression
from scipy.signal import find_peaks

from channel_sparsity.files import StudyError
from channel_sparsity.words import percent

#: The axes that a knee can be found on, and the column of ``curve.csv`` that each one reads.
AXES = {"channels": "channel_rate", "parameters": "parameter_rate", "masked": "masked_rate"}

#: Losses, as fractions, at which the rate is read off a curve, by what ``knee.json`` calls that rate.
LOSSES = {"rate_at_1_point": 0.01, "rate_at_2_points": 0.02, "rate_at_3_points": 0.03, "rate_at_5_points": 0.05}

#: Differences under this are rounding: the maximum of a difference curve is a tie, and the smaller rate wins.
_DECIMALS = 12


#: Rules by which a knee is found (R21).
RULES = ("fixed_ends", "literal", "kneed")

#: The least bend of a curve that has a knee. A loss that is 0 up to rate k and then straight has a bend of k, so this
#: is two steps of pruning; a straight loss has 0.
LEAST_BEND = 0.1


@dataclass(frozen=True)
class Rule:
    """How a knee is found.

    `name`: ``fixed_ends`` (`fixed_ends`), ``literal`` (`literal`, section 2.3 as it stands) or ``kneed`` (the package;
    R21). `axis`: the pruning rate that PK is read on, a key of `AXES` (R19). `sensitivity` (psi of Eq. 7) is of the
    last two, `online` of kneed.
    """

    name: str = "fixed_ends"
    axis: str = "channels"
    sensitivity: float = 1.0
    online: bool = False

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise StudyError(f"the knee's rule is {self.name}, but must be one of {', '.join(RULES)}")
        if self.axis not in AXES:
            raise StudyError(f"the knee's axis is {self.axis}, but must be one of {', '.join(AXES)}")

    def by(self, name: str) -> "Rule":
        """The rule of that name in `CHECKS`, as this one is set."""
        return replace(self, name=name.removesuffix("_online"), online=name.endswith("_online"))


@dataclass(frozen=True)
class Knee:
    """A knee on one axis; all rates are shares of what the unpruned network has.

    status: ``found``; ``censored`` where it is the curve's first or last point, so that the knee lies at or beyond
    `bound`; or ``none``; the last two with a reason. position: PK, the rate of a step; None unless found.
    """

    status: str
    reason: str = ""
    position: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Trace:
    """A pruning curve on one axis: each rate once, the mean loss of its steps, and the isotonic fit to that.

    Steps that could remove nothing more share a rate; their number is the weight of that point in the fit.
    """

    rate: numpy.ndarray
    loss: numpy.ndarray
    fit: numpy.ndarray

    @classmethod
    def of(cls, rate: numpy.ndarray, loss: numpy.ndarray) -> "Trace":
        """From the rate and loss of every step [steps], the unpruned network's first."""
        if rate[0] != 0 or not ((rate >= 0) & (rate <= 1)).all():
            raise StudyError("curve.csv has rates that are no shares, from 0 on: delete it and prune again")
        distinct, mean, count = _at_each_rate(rate, loss)
        return cls(distinct, mean, isotonic_regression(mean, weights=count).x)


def _at_each_rate(rate: numpy.ndarray, values: numpy.ndarray) -> tuple[numpy.ndarray, ...]:
    """The distinct rates in ascending order, the mean of the values at each, and how many those are."""
    distinct, place, count = numpy.unique(rate, return_inverse=True, return_counts=True)
    return distinct, numpy.bincount(place, weights=values) / count, count


def difference(trace: Trace, full_loss: float) -> numpy.ndarray:
    """D(x) = x - y(x) / full_loss at every rate of a curve: Kneedle's difference curve with its two ends known.

    The loss is 0 at rate 0 and `full_loss` (to chance) at rate 1, in place of the smallest and the largest measured
    value. So a knee does not depend on how far the curve was traced.
    """
    return numpy.round(trace.rate - trace.fit / full_loss, _DECIMALS)


def fixed_ends(trace: Trace, full_loss: float) -> Knee:
    """The knee where `difference` is highest, at the smaller rate if there are two."""
    heights = difference(trace, full_loss)
    top = int(heights.argmax())
    if heights[top] <= 0:
        return Knee("none", "accuracy falls faster than channels go, from the first step on")
    return _at(trace, top)


def literal(trace: Trace, sensitivity: float) -> Knee:
    """The knee as section 2.3 describes it, in the measured losses, with the curve turned round for a loss (R21).

    Rates and losses are min-max normalised. From left to right, a local maximum of x - y is the knee if, before the
    next one, x - y falls below its value there less `sensitivity` times the mean distance of two rates (Eq. 7).
    """
    # kneed cannot be its engine: it comes from the high rates and asks for the fall on the other side of a maximum,
    # and it takes the first point and level tops for maxima, also where rates and losses change places.
    nothing = Knee("none", f"no local maximum is followed by a fall of {sensitivity:g} steps (Eq. 7)")
    if len(trace.rate) < 3 or numpy.ptp(trace.loss) == 0:
        return nothing
    x, y = ((values - values.min()) / numpy.ptp(values) for values in (trace.rate, trace.loss))
    heights = numpy.round(x - y, _DECIMALS)
    tops = 1 + numpy.flatnonzero((heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:]))
    for top, following in itertools.pairwise([*tops, len(heights)]):
        fall = heights[top] - heights[top:following].min()
        if fall > sensitivity * numpy.diff(x).mean() + 1e-9:  # not what lies on the threshold but for rounding
            return _at(trace, int(top))
    return nothing


def by_kneed(trace: Trace, sensitivity: float, online: bool) -> Knee:
    """The knee as the kneed package finds it in the measured losses, convex and increasing (Eq. 7)."""
    from kneed import KneeLocator

    nothing = Knee("none", f"kneed finds no knee at a sensitivity of {sensitivity:g}")
    if len(trace.rate) < 3 or numpy.ptp(trace.loss) == 0:
        return nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it finds none, which the answer says
        answer = KneeLocator(
            trace.rate, trace.loss, S=sensitivity, curve="convex", direction="increasing", online=online
        )
    return nothing if answer.knee is None else _at(trace, int(numpy.flatnonzero(trace.rate == answer.knee)[0]))


def _at(trace: Trace, place: int) -> Knee:
    """The knee at a point of the curve; at one of its ends the knee itself may lie beyond."""
    rate = float(trace.rate[place])
    if place in (0, len(trace.rate) - 1):
        return Knee("censored", f"the knee lies {'beyond' if place else 'before'} {percent(rate)}", bound=rate)
    return Knee("found", position=rate)


def find(trace: Trace, full_loss: float, rule: Rule) -> Knee:
    """The knee of a curve by the rule, whose axis is the curve's."""
    match rule.name:
        case "fixed_ends":
            return fixed_ends(trace, full_loss)
        case "literal":
            return literal(trace, rule.sensitivity)
        case "kneed":
            return by_kneed(trace, rule.sensitivity, rule.online)


def straight(bend: float, accuracy: float, full_loss: float, clips: int) -> str:
    """Why a curve bends too little to have a knee; empty if it bends enough.

    `bend`: the highest of `difference`. It must reach `LEAST_BEND`, and twice the standard error that the loss has from
    `clips` validation clips at half of them right, before and after pruning taken for independent.
    """
    error = math.sqrt((accuracy * (1 - accuracy) + 0.25) / clips) / full_loss
    needed = max(LEAST_BEND, 2 * error)
    if bend >= needed:
        return ""
    return f"the curve is too straight for a knee: it bends by {max(bend, 0):.2f}, where {needed:.2f} is needed"


#: What else a curve is summed up to.
SUMMARIES = ("share_kept", *LOSSES)


def summaries(trace: Trace, full_loss: float) -> dict[str, float]:
    """What else a pruning curve can be summed up to, from the isotonic fit with `full_loss` at rate 1 (chance).

    share_kept: of what the network has above chance, the mean share that it keeps over all rates from 0 to 1
    (1 - the area under the loss curve). The names of `LOSSES`: `rate_within` of that many points.
    """
    rate, loss = _to_chance(trace, full_loss)
    rates = {name: rate_within(trace, full_loss, limit) for name, limit in LOSSES.items()}
    return {"share_kept": float(1 - numpy.trapezoid(loss, rate) / full_loss)} | rates


def rate_within(trace: Trace, full_loss: float, limit: float) -> float:
    """The largest rate at which the loss is no more than `limit`, between two steps by a straight line."""
    rate, loss = _to_chance(trace, full_loss)
    over = int(numpy.searchsorted(loss, limit, side="right"))  # the first point that loses more
    if over in (0, len(loss)):
        return float(over > 0)
    ends = slice(over - 1, over + 1)
    return float(numpy.interp(limit, loss[ends], rate[ends]))


def _to_chance(trace: Trace, full_loss: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Rates and losses of a curve that goes on to chance at rate 1."""
    rate = numpy.append(trace.rate, 1.0) if trace.rate[-1] < 1 else trace.rate
    # A trace may end worse than chance: what it lost more than all of it counts as all.
    return rate, numpy.minimum(numpy.append(trace.fit, full_loss)[: len(rate)], full_loss)


def _unusable(loss: numpy.ndarray, accuracy: float, classes: int, clips: int) -> str:
    """Why a curve has no knee whatever the rule; empty if it may have one."""
    if not math.isfinite(accuracy):
        return "the unpruned network's accuracy is not a number"
    chance = 1 / classes
    if accuracy - chance <= 3 * math.sqrt(chance * (1 - chance) / clips):
        return (
            f"the unpruned network's accuracy of {percent(accuracy)} is within 3 standard errors of "
            f"chance, {percent(chance)}"
        )
    broken = numpy.flatnonzero(~numpy.isfinite(loss))
    return f"the loss at step {broken[0]} is not a number" if len(broken) else ""


def measure(curve: pandas.DataFrame, classes: int, clips: int, rule: Rule) -> dict:
    """Prune Knee of a curve, as ``knee.json`` holds it.

    `curve`: ``curve.csv``, a row a step from the unpruned network on, with the columns channel_rate,
    parameter_rate, masked_rate, accuracy and accuracy_loss. `classes`: the number of scenes, so that chance
    is 1 / classes. `clips`: the number of validation clips. A network that is within three standard errors of
    chance before pruning has no knee, nor has a curve that is too `straight`. The result:

    - rule, axis and the `Knee` on that axis: status, reason, bound (PK is null unless found);
    - pk_channels, pk_parameters, pk_masked: PK on each axis by the same rule, and pk_grid: the step of the
      rule's axis, which is PK there;
    - at PK, compression_rate (share of the parameters that surgery removes), masked_rate (share that masks would; R20)
      and the loss: accuracy_loss of the isotonic fit, accuracy_loss_grid as measured;
    - bend: how far the curve is from straight, on the rule's axis, and margin: by how much the difference curve is
      higher at its top than at its second local maximum;
    - axes: the `Knee` on each axis; cross_checks and cross_check_losses: what each rule answers on the rule's axis,
      and the loss there (of the isotonic fit); summaries: `summaries` of the curve on that axis (null where the network
      is at chance).
    """
    missing = [name for name in (*AXES.values(), "accuracy", "accuracy_loss") if name not in curve]
    if missing:
        raise StudyError(f"curve.csv has no column {missing[0]}: delete it and prune the network again")
    loss, accuracy = curve["accuracy_loss"].to_numpy(float), float(curve["accuracy"].iloc[0])
    rates = {axis: curve[column].to_numpy(float) for axis, column in AXES.items()}
    reason = _unusable(loss, accuracy, classes, clips)
    if reason:
        return without_knee(reason, rule)

    full_loss = accuracy - 1 / classes
    traces = {axis: Trace.of(rate, loss) for axis, rate in rates.items()}
    trace = traces[rule.axis]
    heights = difference(trace, full_loss)
    bend = float(heights.max())

    def knee_of(trace: Trace, rule: Rule) -> Knee:
        found = find(trace, full_loss, rule)
        reason = straight(float(difference(trace, full_loss).max()), accuracy, full_loss, clips)
        # A knee at an end says "no sooner" or "no later", but not of a curve that went on long enough to bend.
        short = found.status == "censored" and found.bound < LEAST_BEND
        return Knee("none", reason) if reason and found.status != "none" and not short else found

    knees = {axis: knee_of(each, rule) for axis, each in traces.items()}
    knee = knees[rule.axis]
    checks = {name: knee_of(trace, rule.by(name)).position for name in CHECKS}
    at_knee = {"bend": bend, "margin": _margin(heights)}
    if knee.status == "found":
        removed = {axis: _at_each_rate(rates[rule.axis], rate)[1] for axis, rate in rates.items()}
        place = int(numpy.flatnonzero(trace.rate == knee.position)[0])
        at_knee |= {
            "accuracy_loss": float(trace.fit[place]),
            "accuracy_loss_grid": float(trace.loss[place]),
            "compression_rate": float(removed["parameters"][place]),
            "masked_rate": float(removed["masked"][place]),
        }
    losses = {
        name: None if place is None else float(numpy.interp(place, trace.rate, trace.fit))
        for name, place in checks.items()
    }
    return _as_written(rule, knees, at_knee, checks, losses, summaries(trace, full_loss))


#: The rules that a knee is cross-checked by.
CHECKS = (*RULES, "kneed_online")


def _margin(heights: numpy.ndarray) -> float | None:
    """By how much the highest point of a difference curve is higher than its second local maximum; None without one."""
    padded = numpy.concatenate([[-numpy.inf], heights, [-numpy.inf]])
    peaks = numpy.sort(padded[find_peaks(padded)[0]])
    return float(peaks[-1] - peaks[-2]) if len(peaks) > 1 else None


def without_knee(reason: str, rule: Rule) -> dict:
    """What `measure` returns of a curve that cannot have a knee."""
    return _as_written(rule, dict.fromkeys(AXES, Knee("none", reason)), {}, {}, {}, {})


#: What ``knee.json`` says of the curve, and of the network at its knee.
_MEASURED = ("accuracy_loss", "accuracy_loss_grid", "compression_rate", "masked_rate", "bend", "margin")


def _as_written(rule: Rule, knees: dict[str, Knee], at_knee: dict, checks: dict, losses: dict, summed_up: dict) -> dict:
    """What ``knee.json`` holds; what is missing of the last four is null."""
    knee = knees[rule.axis]
    return {
        "status": knee.status,
        "reason": knee.reason,
        "rule": rule.name,
        "axis": rule.axis,
        "pk_channels": knees["channels"].position,
        "pk_parameters": knees["parameters"].position,
        "pk_masked": knees["masked"].position,
        "pk_grid": knee.position,
        "bound": knee.bound,
        **{name: at_knee.get(name) for name in _MEASURED},
        "axes": {axis: asdict(each) for axis, each in knees.items()},
        "cross_checks": {name: checks.get(name) for name in CHECKS},
        "cross_check_losses": {name: losses.get(name) for name in CHECKS},
        "summaries": {name: summed_up.get(name) for name in SUMMARIES},
    }
