"""Prune Knee: how far a network can be pruned before its accuracy gives way (section 2.3; R19 to R21)."""

import math
import warnings
from dataclasses import asdict, dataclass

import numpy
import pandas
from scipy.optimize import isotonic_regression
from scipy.signal import find_peaks

from channel_sparsity.files import StudyError

#: The axes that a knee can be found on, and the column of ``curve.csv`` that each one reads.
AXES = {"channels": "channel_rate", "parameters": "parameter_rate", "masked": "masked_rate"}

#: Losses, as fractions, at which the rate is read off a curve, by what ``knee.json`` calls that rate.
LOSSES = {"rate_at_1_point": 0.01, "rate_at_2_points": 0.02, "rate_at_3_points": 0.03, "rate_at_5_points": 0.05}

#: Differences under this are rounding: the maximum of a difference curve is a tie, and the smaller rate wins.
_DECIMALS = 12


@dataclass(frozen=True)
class Rule:
    """How a knee is found.

    `name`: ``fixed_ends`` (`fixed_ends`) or ``kneed`` (the package, R21). `axis`: the pruning rate that PK is
    read on, a key of `AXES` (R19). `sensitivity` (psi of Eq. 7) and `online` are kneed's.
    """

    name: str = "fixed_ends"
    axis: str = "channels"
    sensitivity: float = 1.0
    online: bool = False

    def __post_init__(self) -> None:
        if self.name not in ("fixed_ends", "kneed"):
            raise StudyError(f"the knee's rule is {self.name}, but must be fixed_ends or kneed")
        if self.axis not in AXES:
            raise StudyError(f"the knee's axis is {self.axis}, but must be one of {', '.join(AXES)}")


@dataclass(frozen=True)
class Knee:
    """A knee on one axis; all rates are shares of what the unpruned network has.

    status: ``found``; ``censored`` where it is the curve's first or last point, so that the knee lies at or
    beyond `bound`; or ``none``; the last two with a reason. position: PK, and grid: the step next to it; None
    unless found. margin: by how much the difference curve is higher there than at its second local maximum,
    which is at the rate `rival` (None where there is no second one, and for kneed).
    """

    status: str
    reason: str = ""
    position: float | None = None
    grid: float | None = None
    bound: float | None = None
    margin: float | None = None
    rival: float | None = None


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


def fixed_ends(trace: Trace, full_loss: float) -> Knee:
    """The knee of a curve whose two ends are known: no loss at rate 0, `full_loss` (to chance) at rate 1.

    D(x) = x - y(x) / full_loss is Kneedle's difference curve for a convex, increasing loss, with the ends in
    place of the smallest and largest measured value, so that the knee does not depend on how far the curve
    was traced. PK is the vertex of the parabola through the highest point of D and its two neighbours. The
    vertex lies between the middles of the two steps, because D is lower before that point and no higher after
    it.
    """
    rate = trace.rate
    difference = numpy.round(rate - trace.fit / full_loss, _DECIMALS)
    top = int(difference.argmax())
    if difference[top] <= 0:
        return Knee("none", "accuracy falls faster than channels go, from the first step on")
    if top in (0, len(rate) - 1):
        side = "beyond" if top else "before"
        return Knee("censored", f"the knee lies {side} {100 * rate[top]:.1f} %", bound=float(rate[top]))
    rise, fall = numpy.diff(difference[top - 1 : top + 2]) / numpy.diff(rate[top - 1 : top + 2])
    before, after = (rate[top - 1] + rate[top]) / 2, (rate[top] + rate[top + 1]) / 2
    vertex = before + (after - before) * rise / (rise - fall)
    padded = numpy.concatenate([[-numpy.inf], difference, [-numpy.inf]])
    peaks = find_peaks(padded)[0] - 1
    others = sorted(peaks, key=lambda peak: difference[peak], reverse=True)[1:]
    second = others[0] if others else None
    return Knee(
        "found",
        position=float(vertex),
        grid=float(rate[top]),
        margin=None if second is None else float(difference[top] - difference[second]),
        rival=None if second is None else float(rate[second]),
    )


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
    if answer.knee is None:
        return nothing
    return Knee("found", position=float(answer.knee), grid=float(answer.knee))


def find(trace: Trace, full_loss: float, rule: Rule) -> Knee:
    """The knee of a curve by the rule, whose axis is the curve's."""
    if rule.name == "kneed":
        return by_kneed(trace, rule.sensitivity, rule.online)
    return fixed_ends(trace, full_loss)


def summaries(trace: Trace, full_loss: float) -> dict[str, float]:
    """What else a pruning curve can be summed up to, from the isotonic fit with `full_loss` at rate 1 (chance).

    share_kept: of what the network has above chance, the mean share that it keeps over all rates from 0 to 1
    (1 - the area under the loss curve). The names of `LOSSES`: the largest rate at which the loss is no
    more than that many points.
    """
    rate = numpy.append(trace.rate, 1.0) if trace.rate[-1] < 1 else trace.rate
    # A trace may end worse than chance: what it lost more than all of it counts as all.
    loss = numpy.minimum(numpy.append(trace.fit, full_loss)[: len(rate)], full_loss)
    result = {"share_kept": float(1 - numpy.trapezoid(loss, rate) / full_loss)}
    for name, limit in LOSSES.items():
        over = int(numpy.searchsorted(loss, limit, side="right"))  # the first point that loses more
        if over == 0 or over == len(loss):
            result[name] = float(over > 0)
        else:
            ends = slice(over - 1, over + 1)
            result[name] = float(numpy.interp(limit, loss[ends], rate[ends]))
    return result


def _unusable(loss: numpy.ndarray, accuracy: float, classes: int, clips: int) -> str:
    """Why a curve has no knee whatever the rule; empty if it may have one."""
    if not math.isfinite(accuracy):
        return "the unpruned network's accuracy is not a number"
    chance = 1 / classes
    if accuracy - chance <= 3 * math.sqrt(chance * (1 - chance) / clips):
        return (
            f"the unpruned network's accuracy of {100 * accuracy:.1f} % is within 3 standard errors of "
            f"chance, {100 * chance:.1f} %"
        )
    broken = numpy.flatnonzero(~numpy.isfinite(loss))
    return f"the loss at step {broken[0]} is not a number" if len(broken) else ""


def measure(curve: pandas.DataFrame, classes: int, clips: int, rule: Rule) -> dict:
    """Prune Knee of a curve, as ``knee.json`` holds it.

    `curve`: ``curve.csv``, a row a step from the unpruned network on, with the columns channel_rate,
    parameter_rate, masked_rate, accuracy and accuracy_loss. `classes`: the number of scenes, so that chance
    is 1 / classes. `clips`: the number of validation clips. A network that is within three standard errors of
    chance before pruning has no knee. The result:

    - rule, axis and the `Knee` on that axis: status, reason, bound, margin, rival (PK is null unless found);
    - pk_channels, pk_parameters, pk_masked: PK on each axis by the same rule, and pk_grid: the step of the
      rule's axis;
    - at PK, between the steps next to it: accuracy_loss (of the isotonic fit), compression_rate (share of the
      parameters that surgery removes) and masked_rate (share that masks would; R20); accuracy_loss_grid is
      measured, at pk_grid;
    - axes: the `Knee` on each axis; cross_checks: what each rule answers on the rule's axis; summaries: `summaries`
      of the curve on that axis (null where the network is at chance).
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

    knees = {axis: find(trace, full_loss, rule) for axis, trace in traces.items()}
    trace, knee = traces[rule.axis], knees[rule.axis]
    checks = {
        "fixed_ends": fixed_ends(trace, full_loss).position,
        "kneed": by_kneed(trace, rule.sensitivity, online=False).position,
        "kneed_online": by_kneed(trace, rule.sensitivity, online=True).position,
    }
    at_knee = {}
    if knee.status == "found":
        removed = {axis: _at_each_rate(rates[rule.axis], rate)[1] for axis, rate in rates.items()}
        at_knee = {
            "accuracy_loss": float(numpy.interp(knee.position, trace.rate, trace.fit)),
            "accuracy_loss_grid": float(trace.loss[trace.rate == knee.grid][0]),
            "compression_rate": float(numpy.interp(knee.position, trace.rate, removed["parameters"])),
            "masked_rate": float(numpy.interp(knee.position, trace.rate, removed["masked"])),
        }
    return _record(rule, knees, at_knee, checks, summaries(trace, full_loss))


def without_knee(reason: str, rule: Rule) -> dict:
    """What `measure` returns of a curve that cannot have a knee."""
    return _record(rule, dict.fromkeys(AXES, Knee("none", reason)), {}, {}, {})


def _record(rule: Rule, knees: dict[str, Knee], at_knee: dict, checks: dict, summed_up: dict) -> dict:
    """What ``knee.json`` holds; `at_knee` is empty where there is no knee, the others where none was sought."""
    knee = knees[rule.axis]
    return {
        "status": knee.status,
        "reason": knee.reason,
        "rule": rule.name,
        "axis": rule.axis,
        "pk_channels": knees["channels"].position,
        "pk_parameters": knees["parameters"].position,
        "pk_masked": knees["masked"].position,
        "pk_grid": knee.grid,
        "accuracy_loss": at_knee.get("accuracy_loss"),
        "accuracy_loss_grid": at_knee.get("accuracy_loss_grid"),
        "compression_rate": at_knee.get("compression_rate"),
        "masked_rate": at_knee.get("masked_rate"),
        "margin": knee.margin,
        "rival": knee.rival,
        "bound": knee.bound,
        "axes": {axis: asdict(each) for axis, each in knees.items()},
        "cross_checks": {name: checks.get(name) for name in ("fixed_ends", "kneed", "kneed_online")},
        "summaries": {name: summed_up.get(name) for name in ("share_kept", *LOSSES)},
    }
