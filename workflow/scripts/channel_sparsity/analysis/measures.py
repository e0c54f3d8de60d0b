"""Is WS the right measure? Other measures of the gammas, in several forms, beside WS as predictors of PK."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy
import pandas
from scipy.stats import rankdata

from channel_sparsity.analysis.labels import ALL
from channel_sparsity.analysis.records import table
from channel_sparsity.analysis.sparsity import share_removed_by
from channel_sparsity.analysis.statistics import mean_of_values, pearson
from channel_sparsity.analysis.within import ALPHA, Within, decide, scopes, several


@dataclass(frozen=True)
class Measure:
    """What PK may be predicted from: its name for people, and whether it falls as sparsity grows.

    `guesses`: it is by itself a guess of the share that can go, on PK's own scale.
    """

    words: str
    falls: bool = False
    guesses: bool = False


#: The predictors, by their name in ``sparsity.json`` (but for the last three).
MEASURES = {
    "ws": Measure("WS"),
    "ws_absolute": Measure("WS of magnitudes"),
    "ws_without_depthwise": Measure("WS without depthwise gammas"),
    "kurtosis": Measure("excess kurtosis"),
    "gini": Measure("Gini index"),
    "hoyer": Measure("Hoyer's measure"),
    "l1_l2": Measure("L1 / L2, negated", falls=True),
    "entropy": Measure("entropy, negated", falls=True),
    "share_near_zero": Measure("share near zero", guesses=True),
    "share_lower_class": Measure("share in the lower class", guesses=True),
    "ws_two_points": Measure("share that WS stands for", guesses=True),
    "lambda": Measure("lambda"),
    "accuracy": Measure("accuracy"),
}

#: The columns of ``measures.csv`` and their types.
COLUMNS = {
    "recipe": str,
    "scope": str,
    "measure": str,
    "form": str,
    "n": int,
    "networks": int,
    "r": float,
    "r_low": float,
    "r_high": float,
    "difference": float,
    "difference_low": float,
    "difference_high": float,
    "verdict": str,
    "r_given_accuracy": float,
    "r_given_accuracy_low": float,
    "r_given_accuracy_high": float,
    "ws_given_it": float,
    "ws_given_it_low": float,
    "ws_given_it_high": float,
    "error_left_out": float,
    "error_of_mean": float,
    "error_as_it_is": float,
    "n_across": int,
    "networks_across": int,
    "r_across": float,
    "gain_across": float,
    "gain_across_low": float,
    "gain_across_high": float,
    "verdict_across": str,
    "reason": str,
}


def _log(values: numpy.ndarray) -> numpy.ndarray:
    """Natural logarithm; missing where a value is not positive."""
    return numpy.log(numpy.where(values > 0, values, numpy.nan))


def _ranks(values: numpy.ndarray) -> numpy.ndarray:
    """Ranks from 1, ties at their mean; missing where a value is."""
    return rankdata(values, nan_policy="omit")


#: The forms in which a measure enters, as functions of its values; ranks are given within what is compared.
FORMS: dict[str, Callable[[numpy.ndarray], numpy.ndarray]] = {"linear": numpy.asarray, "log": _log, "rank": _ranks}

#: How many verdicts a scope has: all but that on WS as it is.
VERDICTS = len(MEASURES) * len(FORMS) - 1


def levels(cells: pandas.DataFrame, sparsity: pandas.DataFrame, summed_up: pandas.DataFrame) -> pandas.DataFrame:
    """What is compared: the included cells, averaged over the seeds of each network, recipe and lambda.

    `cells`: the table of that name. `sparsity`: a row a trained network with network, lam, seed and what its
    ``sparsity.json`` measures. `summed_up`: a row a curve with recipe, network, lam, seed and the summaries in its
    ``knee.json``.
    """
    trained = ["network", "lam", "seed"]
    chosen = cells.loc[cells["included"], ["recipe", *trained, "accuracy", "pk"]]
    chosen = chosen.merge(sparsity[[*trained, *(name for name in MEASURES if name in sparsity)]], on=trained)
    chosen = chosen.merge(summed_up, on=["recipe", *trained])
    chosen["lambda"] = chosen["lam"]
    chosen["ws_two_points"] = chosen["ws"].map(share_removed_by)
    keys = ["recipe", "network", "lam"]
    numbers = chosen.columns.difference([*keys, "seed"], sort=False)  # None, or words of numbers, in some
    return chosen.astype(dict.fromkeys(numbers, float)).groupby(keys, sort=False)[list(numbers)].mean().reset_index()


def compare_measures(levels: pandas.DataFrame) -> pandas.DataFrame:
    """How closely each measure, in each form, follows PK: ``measures.csv``.

    `levels`: as the function of that name makes it. A row for each recipe, scope (all networks, or one by itself),
    measure and form: the measure as it is, its logarithm, or its rank; PK stays as it is. A measure that falls as
    sparsity grows is negated. What a form leaves undefined (a logarithm of 0) is left out; n and networks count what
    stays. Within networks (`Within`):

    - r of measure and PK; difference: r less that of WS as it is, on the same cells, with intervals at 95 %; verdict:
      whether it is better or worse than WS, by an interval that allows for the number of verdicts (`Within.verdict`);
    - r_given_accuracy: r with accuracy held constant; ws_given_it: r of WS and PK with this measure held constant,
      which is what WS says beyond it;
    - error_left_out: root mean square error of predicting each PK from the other cells (networks' means and one
      slope); error_of_mean: from the means alone; error_as_it_is: of the measure as a guess of PK, nothing fitted,
      where it is one.

    Across networks, in the rows of all of them: `_across`.
    """
    rows = []
    for recipe, group in levels.groupby("recipe", sort=False):
        for scope, cells in scopes(group):
            for name in MEASURES:
                for form in FORMS:
                    row = {"recipe": recipe, "scope": scope, "measure": name, "form": form}
                    row |= _within(cells, name, form)
                    rows.append(row | (_across(cells, name, form) if scope == ALL else {}))
    return table(rows, COLUMNS)


def predictor(values: pandas.Series, form: str) -> numpy.ndarray:
    """The values of a measure in a form, greater where sparser, missing where undefined."""
    return (-1 if MEASURES[values.name].falls else 1) * FORMS[form](values.to_numpy(float))


def _within(cells: pandas.DataFrame, name: str, form: str) -> dict:
    """What a row says within networks."""
    formed = [pandas.Series(predictor(own[name], form), own.index) for _, own in cells.groupby("network")]
    cells = several(cells.assign(value=pandas.concat(formed)).dropna(subset=["value", "pk", "ws"]))
    row = {"n": len(cells), "networks": cells["network"].nunique(), "verdict": "undecided"}
    if cells.empty:
        return row | {"reason": "no network has two cells with this measure"}
    values, ws, pk, networks = (cells[column].to_numpy() for column in ("value", "ws", "pk", "network"))
    within = Within(pk, networks, names=("the measure", "PK"))
    r = within.correlation(values)
    row |= r.columns("r") | {"reason": r.reason}
    if (name, form) == ("ws", "linear"):
        row["verdict"] = "reference"
    else:
        row |= within.difference(values, ws).columns("difference")
        row["verdict"] = within.verdict(values, ws, VERDICTS)
        row |= Within(pk, networks, values).correlation(ws).columns("ws_given_it")
    if name != "accuracy":
        row |= Within(pk, networks, cells["accuracy"]).correlation(values).columns("r_given_accuracy")
    row["error_left_out"], row["error_of_mean"] = within.error_left_out(values), within.error_left_out()
    if MEASURES[name].guesses and form == "linear":
        row["error_as_it_is"] = float(numpy.sqrt(numpy.mean((values - pk) ** 2)))
    return row


def common_range(cells: pandas.DataFrame) -> tuple[float, float] | None:
    """The WS that every network spans; None if there is none, or one network only."""
    ends = cells.groupby("network")["ws"].agg(["min", "max"])
    low, high = ends["min"].max(), ends["max"].min()
    return (float(low), float(high)) if len(ends) > 1 and low < high else None


def _across(cells: pandas.DataFrame, name: str, form: str) -> dict:
    """What a row says across networks, over the range of WS that all of them span.

    r_across: r of all cells there, as they are, with no interval, since the cells of a network depend on each other.
    gain_across: by how much the root mean square error of a network's PKs, predicted by the line through the other
    networks' cells, is smaller than with WS; its mean over networks, with Student's t interval over networks, and the
    verdict on it as within networks. It takes three networks.
    """
    reference = (name, form) == ("ws", "linear")
    row = {"verdict_across": "reference" if reference else "undecided"}
    ends = common_range(cells)
    if ends is None:
        return row
    shared = cells[cells["ws"].between(*ends)]
    shared = shared.assign(value=predictor(shared[name], form)).dropna(subset=["value", "pk"])
    networks = shared["network"].unique()
    row["networks_across"] = len(networks)
    row["n_across"], row["r_across"] = pearson(shared["value"], shared["pk"])
    if row["r_across"] is None or reference or len(networks) < 3:
        return row
    gain = mean_of_values([_error(shared, "ws", own) - _error(shared, "value", own) for own in networks])
    if not numpy.isfinite(gain.value):
        return row
    row["verdict_across"] = decide(*gain.interval(1 - ALPHA / VERDICTS))
    return row | gain.bounded().columns("gain_across")


def _error(cells: pandas.DataFrame, column: str, network: str) -> float:
    """Root mean square error of a network's PKs by the line of PK on a column through the other networks' cells."""
    own = cells["network"] == network
    others, x = cells[~own], cells.loc[own, column]
    if len(others) < 3 or numpy.ptp(others[column]) == 0:
        return numpy.nan
    slope, intercept = numpy.polyfit(others[column], others["pk"], 1)
    return float(numpy.sqrt(numpy.mean((cells.loc[own, "pk"] - slope * x - intercept) ** 2)))
