"""How much hangs on the readings? r and m of the same curves under every reading of what the paper leaves open."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy
import pandas

from channel_sparsity.measuring.knee import AXES, Knee, Rule, measure
from channel_sparsity.statistics.regression import correlate, regress
from channel_sparsity.tables.saving import table
from channel_sparsity.tables.study import up_to_limit

#: The columns of ``readings.csv`` and their types.
COLUMNS = {
    "network": str,
    "reading": str,
    "study": str,
    "recipe": str,
    "rule": str,
    "axis": str,
    "gammas": str,
    "limit": str,
    "censored": str,
    "reference": str,
    "n": int,
    "r": float,
    "r_low": float,
    "r_high": float,
    "m": float,
    "m_low": float,
    "m_high": float,
    "reason": str,
    "width_scale": float,
}

#: What a reading of the analysis can be, and what people call it beside the study's own.
WORDS = {
    "rule": {
        "fixed_ends": "knee: fixed ends (R21)",
        "literal": "knee: section 2.3 (R21)",
        "kneed": "knee: kneed, offline (R21)",
        "kneed_online": "knee: kneed, online (R21)",
    },
    "axis": {
        "channels": "axis: channels (R19)",
        "parameters": "axis: parameters (R19)",
        "masked": "axis: parameters by masks (R19)",
    },
    "gammas": {
        "signed": "WS: signed gammas (R14)",
        "magnitudes": "WS: magnitudes (R14)",
        "without_depthwise": "WS: no depthwise gammas (R12)",
    },
    "limit": {
        "upper": "limit: on lambda, from above (R9)",
        "both": "limit: every cell's accuracy (R9)",
        "half": "limit: half the margin (R9)",
        "double": "limit: twice the margin (R9)",
        "none": "limit: none (R9)",
    },
    "censored": {"out": "censored knees: out (R24)", "bound": "censored knees: at bound (R24)"},
    "reference": {"step_0": "loss: from step 0 (R22)", "finetuned": "loss: from the control (R22)"},
}

#: The column of each WS.
_WS = {"signed": "ws", "magnitudes": "ws_absolute", "without_depthwise": "ws_without_depthwise"}

#: The reading of a row that differs in nothing from what the study is configured to.
AS_CONFIGURED = "as configured"


@dataclass(frozen=True)
class Reading:
    """One way to read what is left to the analysis; each field is a key of `WORDS` with one of its values.

    rule: how a knee is found. axis: the rate that it is found on. gammas: those that WS is of. limit: which lambdas
    count: up to the largest within the margin (R9), half or twice that margin, only those within it (both), or all.
    censored: whether a knee at the end of its curve is left out or taken there. reference: what a loss is counted
    from, the trained network or the unpruned one fine-tuned as the pruned ones are.
    """

    rule: str
    axis: str
    gammas: str = "signed"
    limit: str = "upper"
    censored: str = "out"
    reference: str = "step_0"

    @classmethod
    def of(cls, rule: Rule) -> "Reading":
        """The reading of a study whose knees are found by `rule`."""
        return cls("kneed_online" if rule.name == "kneed" and rule.online else rule.name, rule.axis)

    def others(self) -> Iterator[tuple[str, "Reading"]]:
        """This reading, and each that differs from it in one thing, with what that is in words."""
        yield AS_CONFIGURED, self
        for name, words in WORDS.items():
            for choice in words:
                if choice != getattr(self, name):
                    yield words[choice], replace(self, **{name: choice})


def knees(curve: pandas.DataFrame, metrics: Mapping, control: Mapping, rule: Rule) -> dict[tuple, Knee]:
    """The knee of a curve by each (rule, axis, reference) of `WORDS`; none if it or the training went wrong.

    `curve`: ``curve.csv``. `metrics`: the network's ``metrics.json``. `control`: the curve's ``control.json``, with the
    accuracy of the unpruned network fine-tuned as the pruned ones are (None if those are not, and the trained network
    is its own control). `rule`: the study's, for kneed's sensitivity.
    """
    if control["status"] != "traced":
        lost = Knee("none", control["reason"])
        return dict.fromkeys(itertools.product(WORDS["rule"], WORDS["axis"], WORDS["reference"]), lost)
    classes, clips = len(metrics["accuracy_per_scene"]), metrics["clips_validation"]
    found = {}
    finetuned = control["accuracy_unpruned_finetuned"]
    # The control takes the place of the unpruned network: nothing is lost at step 0.
    accuracy = [curve["accuracy"].iloc[0] if finetuned is None else finetuned, *curve["accuracy"].iloc[1:]]
    from_control = curve.assign(accuracy=accuracy, accuracy_loss=accuracy[0] - numpy.array(accuracy))
    for reference, traced in (("step_0", curve), ("finetuned", from_control)):
        for name in WORDS["rule"]:
            axes = measure(traced, classes, clips, rule.by(name))["axes"]
            for axis in AXES:
                found[name, axis, reference] = Knee(**axes[axis])
    return found


def _pk(knee: Knee, reading: Reading) -> float:
    """PK of a knee by a reading; not a number where it counts as missing."""
    place = knee.position
    if place is None and reading.censored == "bound":
        place = knee.bound
    return numpy.nan if place is None else place


def vary(
    cells: pandas.DataFrame,
    sparsity: pandas.DataFrame,
    found: Mapping[tuple, Mapping[tuple, Knee]],
    study: str,
    recipes: Sequence[str],
    configured: Rule,
    margin: float,
) -> pandas.DataFrame:
    """r and m of each network under each reading of the analysis, one at a time: ``readings.csv``.

    `cells`: the table of that name. `sparsity`: a row a trained network with network, lam, seed, ws, ws_absolute and
    ws_without_depthwise. `found`: for each (recipe, network, lam, seed) what `knees` found. `recipes`: those that
    are readings of one another, the study's own first. `configured`: the study's rule. `margin`: the accuracy that
    a lambda may cost (R9).

    n, r (Eq. 10, Fisher's z) and m (Eq. 8, Student's t), of the mean over seeds at each lambda as in
    ``correlation.csv``; reading: in what a row differs from the study as configured; for other recipes, in the recipe.
    A reading that is the same as another by construction has no row: WS without depthwise gammas where a network has
    none.
    """
    own, rows = Reading.of(configured), []
    trained = ["network", "lam", "seed"]
    cells = cells.drop(columns=_WS.values(), errors="ignore").merge(sparsity[[*trained, *_WS.values()]], on=trained)
    for (recipe, network), group in cells[cells["recipe"].isin(recipes)].groupby(["recipe", "network"], sort=False):
        known = [found[recipe, network, cell.lam, cell.seed] for cell in group.itertuples()]
        counted = _limits(group, margin)
        no_depthwise = group["ws_without_depthwise"].equals(group["ws"])
        configured_as = list(own.others()) if recipe == recipes[0] else [(f"recipe: {recipe}", own)]
        for words, reading in configured_as:
            if reading.gammas == "without_depthwise" and no_depthwise:
                continue
            pk = [_pk(each[reading.rule, reading.axis, reading.reference], reading) for each in known]
            rows.append(
                {"network": network, "study": study, "recipe": recipe, "width_scale": group["width_scale"].iloc[0]}
                | {field.name: getattr(reading, field.name) for field in fields(reading)}
                | {"reading": words}
                | _line(group["lam"], group[_WS[reading.gammas]], pk, counted[reading.limit])
            )
    return table(rows, COLUMNS)


def _limits(group: pandas.DataFrame, margin: float) -> dict[str, numpy.ndarray]:
    """Which cells of a network count under each `limit`."""
    accuracy = group.groupby("lam")["accuracy"].transform("mean")
    lam, shortfall = group["lam"].map(float), accuracy.max() - accuracy
    margins = {"upper": margin, "half": margin / 2, "double": 2 * margin}
    return {
        **{name: up_to_limit(lam, shortfall, each) for name, each in margins.items()},
        "both": (shortfall <= margin + 1e-9).to_numpy(),
        "none": numpy.ones(len(group), bool),
    }


def _line(lam: pandas.Series, ws: pandas.Series, pk: Sequence[float], counted: numpy.ndarray) -> dict:
    """n, r and m of the cells that count, averaged over the seeds of each lambda."""
    ws, pk = ws.to_numpy(float), numpy.asarray(pk, float)
    counted = counted & numpy.isfinite(ws) & numpy.isfinite(pk)
    _, place, seeds = numpy.unique(lam.to_numpy()[counted], return_inverse=True, return_counts=True)
    ws, pk = (numpy.bincount(place, weights=values[counted]) / seeds for values in (ws, pk))
    return regress(ws, pk) | correlate(ws, pk)


def beside(readings: pandas.DataFrame, others: Mapping[str, pandas.DataFrame]) -> pandas.DataFrame:
    """A study's readings, and below them those of other studies as they are configured.

    `others`: by name, the ``readings.csv`` of studies that differ in data or training. What stands here of each is
    itself as it is configured, for the networks that this study has too, as one reading more.
    """
    added = [
        other[
            (other["study"] == name)
            & (other["reading"] == AS_CONFIGURED)
            & other["network"].isin(set(readings["network"]))
        ].assign(reading=f"study: {name}")
        for name, other in others.items()
    ]
    return pandas.concat([readings, *added], ignore_index=True)
