"""From measured cells to the study's tables: which count, and how PK follows WS (sections 3.2, 3.4 and 4)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy
import pandas
from numpy.typing import ArrayLike

from channel_sparsity.files import read_csv
from channel_sparsity.measuring.knee import AXES, Trace, rate_within
from channel_sparsity.naming import NETWORKS, family, variant
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import correlate, leave_one_out, pearson, regress, tau_b
from channel_sparsity.statistics.replicates import seed_intervals
from channel_sparsity.tables.saving import table
from channel_sparsity.words import percent, points

#: The columns of ``cells.csv`` and their types.
CELLS = {
    "network": str,
    "family": str,
    "variant": str,
    "recipe": str,
    "lam": str,
    "seed": int,
    "accuracy": float,
    "ws": float,
    "pk_channels": float,
    "pk_parameters": float,
    "accuracy_loss_at_pk": float,
    "compression_rate": float,
    "included": bool,
    "reason": str,
    "accuracy_unpruned_finetuned": float,
    "within_limit": bool,
    "axis": str,
    "pk": float,
    "pk_grid": float,
    "knee_status": str,
    "knee_bound": float,
    "knee_margin": float,
    "masked_rate": float,
    "ws_absolute": float,
    "shrinkage": float,
    "parameters": "Int64",
    "macs": "Int64",
    "width_scale": float,
    "pk_low": float,
    "pk_high": float,
    "accuracy_loss_held_out": float,
    "training_status": str,
    "curve_status": str,
    "criterion": str,
    "repair": str,
    "rate_within_margin": float,
    "mean_accuracy": float,
}

#: The columns of ``correlation.csv`` and their types.
CORRELATION = {
    "network": str,
    "recipe": str,
    "n": int,
    "r": float,
    "r_low": float,
    "r_high": float,
    "p": float,
    "n_points": int,
    "r_points": float,
    "n_tau_b": int,
    "tau_b": float,
    "n_without_exclusion": int,
    "r_without_exclusion": float,
    "n_with_censored": int,
    "r_with_censored": float,
    "reason": str,
    "width_scale": float,
    "interval": str,
    "r_seeds_low": float,
    "r_seeds_high": float,
    "r_without_one_low": float,
    "r_without_one_high": float,
    "n_censored": int,
}

#: The columns of ``regression.csv`` and their types.
REGRESSION = {
    "network": str,
    "recipe": str,
    "n": int,
    "m": float,
    "m_low": float,
    "m_high": float,
    "b": float,
    "b_low": float,
    "b_high": float,
    "reason": str,
    "width_scale": float,
    "interval": str,
    "m_seeds_low": float,
    "m_seeds_high": float,
    "b_seeds_low": float,
    "b_seeds_high": float,
}

#: What names a row of ``correlation.csv`` and ``regression.csv``.
_GROUP = ["network", "recipe"]

#: The columns that they are about.
_LINE = ["ws", "pk"]


def cells(records: Iterable[Mapping], margin: float) -> pandas.DataFrame:
    """One row for each pruned network: ``cells.csv``, ordered by network (Table 2), recipe, lambda and seed.

    `records`: mappings with network, recipe, criterion, repair, lam, seed and the contents of that cell's
    ``metrics.json`` (metrics), ``sparsity.json`` (sparsity), ``control.json`` (control), ``knee.json`` (knee) and
    ``curve.csv`` (curve). `margin`: how far the accuracy may lie under the best (section 3.2; `within_limit`), as a
    fraction. rate_within_margin: the largest rate, on the knee's axis, whose accuracy is within the margin of the best
    of its network, whatever its own was before pruning. mean_accuracy: over all rates from 0 to 1.

    A cell is included where its network was trained, lies within that limit, and has a WS and a knee on the
    chosen axis (`pk`); otherwise `reason` says in words which of these it lacks.
    """
    records = list(records)
    frame = pandas.DataFrame([_cell(record) for record in records], columns=[*CELLS, "lacks"])
    accuracies = _accuracies(frame)
    best = frame["network"].map(accuracies.groupby("network")["accuracy"].max())
    for name, values in _absolute(records, best, margin).items():
        frame[name] = values
    limits = _limits(accuracies, margin)
    over = [limits[network, lam] for network, lam in zip(frame["network"], frame["lam"], strict=True)]
    frame["reason"] = ["; ".join(filter(None, both)) for both in zip(over, frame["lacks"], strict=True)]
    frame["within_limit"] = [not reason for reason in over]
    frame["included"] = frame["reason"] == ""
    recipes = list(dict.fromkeys(frame["recipe"]))
    places = {"network": NETWORKS.index, "recipe": recipes.index, "lam": float, "seed": int}
    order = frame.sort_values(list(places), key=lambda column: column.map(places[column.name]))
    return order[list(CELLS)].astype(CELLS).reset_index(drop=True)


def _cell(record: Mapping) -> dict:
    """A row of `cells` but for what hangs on the other rows, with why it `lacks` what it needs by itself."""
    metrics, sparsity, knee = record["metrics"], record["sparsity"], record["knee"]
    return {
        "network": record["network"],
        "family": family(record["network"]),
        "variant": variant(record["network"]),
        "recipe": record["recipe"],
        "lam": record["lam"],
        "seed": int(record["seed"]),
        "accuracy": metrics.get("accuracy"),
        "accuracy_unpruned_finetuned": record["control"]["accuracy_unpruned_finetuned"],
        "ws": sparsity.get("ws"),
        "pk_channels": knee.get("pk_channels"),
        "pk_parameters": knee.get("pk_parameters"),
        "accuracy_loss_at_pk": knee.get("accuracy_loss"),
        "compression_rate": knee.get("compression_rate"),
        "axis": knee["axis"],
        "pk": knee.get(f"pk_{knee['axis']}"),
        "pk_grid": knee.get("pk_grid"),
        "knee_status": knee["status"],
        "knee_bound": knee.get("bound"),
        "knee_margin": knee.get("margin"),
        "masked_rate": knee.get("masked_rate"),
        "ws_absolute": sparsity.get("ws_absolute"),
        "shrinkage": metrics.get("shrinkage"),
        "parameters": metrics.get("parameters"),
        "macs": metrics.get("macs"),
        "width_scale": metrics.get("width_scale", 1.0),
        "pk_low": knee["resampled"]["low"],
        "pk_high": knee["resampled"]["high"],
        "accuracy_loss_held_out": knee["resampled"]["accuracy_loss_held_out"],
        "training_status": metrics["status"],
        "curve_status": record["control"]["status"],
        "criterion": record["criterion"],
        "repair": record["repair"],
        "lacks": _lacks(metrics, sparsity, knee),
    }


def _lacks(metrics: Mapping, sparsity: Mapping, knee: Mapping) -> str:
    """What a cell lacks to be included: a trained network, a WS or a knee; empty if nothing."""
    if metrics["status"] != "trained":
        return f"training {metrics['status']}: {metrics.get('reason')}"
    problems = []
    if sparsity.get("ws") is None:
        problems.append(f"WS undefined: {sparsity.get('reason')}")
    if knee["status"] == "censored":
        problems.append(f"knee censored at {percent(knee['bound'])}")
    elif knee["status"] == "none":
        problems.append(f"no knee: {knee.get('reason')}")
    return "; ".join(problems)


def _accuracies(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The accuracy of each network at each lambda before pruning, the mean over seeds; recipes share the networks."""
    trained = frame.drop_duplicates(["network", "lam", "seed"])
    return over_seeds(trained[["network", "lam", "accuracy"]], ["accuracy"])


def _absolute(records: Sequence[Mapping], best: Iterable[float], margin: float) -> dict[str, list[float | None]]:
    """rate_within_margin and mean_accuracy of `cells`; None where the network has no accuracy over chance."""
    found = {"rate_within_margin": [], "mean_accuracy": []}
    for record, most in zip(records, best, strict=True):
        kept = record["knee"]["summaries"]["share_kept"]
        if kept is None:
            found["rate_within_margin"].append(None)
            found["mean_accuracy"].append(None)
            continue
        accuracy, chance = record["metrics"]["accuracy"], 1 / len(record["metrics"]["accuracy_per_scene"])
        curve = record["curve"]
        trace = Trace.of(curve[AXES[record["knee"]["axis"]]].to_numpy(float), curve["accuracy_loss"].to_numpy(float))
        limit = margin - (most - accuracy)
        found["rate_within_margin"].append(rate_within(trace, accuracy - chance, limit + 1e-9))
        found["mean_accuracy"].append(chance + kept * (accuracy - chance))
    return found


def _limits(accuracies: pandas.DataFrame, margin: float) -> dict[tuple[str, str], str]:
    """Why each (network, lam) is over the upper limit of lambda (section 3.2, R9); empty where it is not.

    The limit is the largest lambda, from the best one's on, whose accuracy (`_accuracies`) is within `margin` of the
    best.
    """
    reasons = {}
    for network, rows in accuracies.groupby("network", sort=False):
        accuracy = rows.set_index("lam")["accuracy"].sort_index(key=lambda index: index.map(float))
        reasons |= {(network, lam): "" for lam in accuracy.index}
        if accuracy.isna().all():
            continue
        best = accuracy.idxmax()
        shortfall = accuracy[best] - accuracy
        for lam in accuracy.index[~up_to_limit(accuracy.index.map(float), shortfall, margin) & shortfall.notna()]:
            reasons[network, lam] = f"accuracy {points(shortfall[lam])} points under the best (lambda {best})"
    return reasons


def up_to_limit(lam: ArrayLike, shortfall: ArrayLike, margin: float) -> numpy.ndarray:
    """Which lambdas [n] are no larger than the largest whose accuracy is at most `margin` under the best (R9)."""
    lam, shortfall = numpy.asarray(lam, float), numpy.asarray(shortfall, float)
    return lam <= lam[shortfall <= margin + 1e-9].max(initial=-numpy.inf)


def read_table(path: str | Path, columns: Mapping) -> pandas.DataFrame:
    """A table as it was made: `columns` are its types (`CELLS`, `CORRELATION` or `REGRESSION`)."""
    return read_csv(path, columns)


def correlation(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Pearson's r of WS and PK for each network and recipe: ``correlation.csv`` (Eq. 10, Table 3).

    n, r, r_low, r_high and p are of the included cells, averaged over the seeds of each lambda; `interval` says what
    r_low and r_high are (`_widen`), and r_seeds_low and r_seeds_high what the seeds alone say. Beside them, each with
    its own n: r_points of the included cells one by one; tau_b of the same means; r_without_exclusion of the means
    with the cells over the limit of lambda too; r_with_censored of the means with censored cells, n_censored of them,
    at their bound. r_without_one_low and r_without_one_high are the range of r when one lambda is left out.
    """
    rows = []
    for (network, recipe), group in cells.groupby(_GROUP, sort=False):
        included = group[group["included"]]
        mean = over_seeds(included, _LINE)
        all_lambdas = over_seeds(group.dropna(subset=_LINE), _LINE)
        within = group[group["within_limit"]]
        at_bound = within.assign(pk=within["pk"].fillna(within["knee_bound"]))
        bounded = over_seeds(at_bound.dropna(subset=_LINE), _LINE)
        row = {"network": network, "recipe": recipe, "width_scale": group["width_scale"].iloc[0]}
        row |= _widen(correlate(mean["ws"], mean["pk"]), ("r",), included, "Fisher")
        row["r_without_one_low"], row["r_without_one_high"] = leave_one_out(mean["ws"], mean["pk"])
        row["n_points"], row["r_points"] = pearson(included["ws"], included["pk"])
        row["n_tau_b"], row["tau_b"] = tau_b(mean["ws"], mean["pk"])
        row["n_without_exclusion"], row["r_without_exclusion"] = pearson(all_lambdas["ws"], all_lambdas["pk"])
        row["n_with_censored"], row["r_with_censored"] = pearson(bounded["ws"], bounded["pk"])
        row["n_censored"] = (within["knee_status"] == "censored").sum()
        rows.append(row)
    return table(rows, CORRELATION)


def regression(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The line PK = m WS + b for each network and recipe: ``regression.csv`` (Eq. 8, 9, Table 4).

    Through the included cells, averaged over the seeds of each lambda; intervals as in `correlation`.
    """
    rows = []
    for (network, recipe), group in cells.groupby(_GROUP, sort=False):
        included = group[group["included"]]
        mean = over_seeds(included, _LINE)
        row = {"network": network, "recipe": recipe, "width_scale": group["width_scale"].iloc[0]}
        row |= _widen(regress(mean["ws"], mean["pk"]), ("m", "b"), included, "Student")
        rows.append(row)
    return table(rows, REGRESSION)


def _widen(result: dict, names: Sequence[str], included: pandas.DataFrame, kind: str) -> dict:
    """A row's estimates `names` with the interval of some `kind`, widened to hold what the seeds say.

    Either alone may be too narrow: the points' own scatter is all there is without replicates; replicates know nothing
    of points that lie off the line, and errors in WS draw r of every resample towards 0
    (docs/background/readings.md, R24).
    """
    by_seeds = seed_intervals(included)
    result["interval"] = kind if result[f"{names[0]}_low"] is not None else ""
    for name in names:
        low, high = by_seeds.get(name, (None, None)) if result[name] is not None else (None, None)
        result |= {f"{name}_seeds_low": low, f"{name}_seeds_high": high}
        if low is not None and result[f"{name}_low"] is not None:
            result[f"{name}_low"] = min(low, result[f"{name}_low"])
            result[f"{name}_high"] = max(high, result[f"{name}_high"])
            result["interval"] = f"{kind} and seeds"
    return result
