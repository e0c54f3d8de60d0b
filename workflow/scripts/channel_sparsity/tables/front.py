"""What accuracy costs: every step of every pruning curve, and those that no other step beats."""

from collections.abc import Mapping

import numpy
import pandas

from channel_sparsity.measuring.knee import AXES
from channel_sparsity.tables.saving import table

#: The columns of ``front.csv`` and their types.
FRONT = {
    "network": str,
    "family": str,
    "recipe": str,
    "lam": str,
    "seed": int,
    "step": int,
    "channel_rate": float,
    "accuracy": float,
    "parameters": int,
    "int8_bytes": int,
    "macs": int,
    "macs_per_second": float,
    "included": bool,
    "within_limit": bool,
    "at_knee": bool,
    "within_budget": bool,
    "on_front_bytes": bool,
    "on_front_macs": bool,
    "width_scale": float,
}

#: What names a cell in ``cells.csv`` and beside the rows of its curve.
CELL = ["network", "recipe", "lam", "seed"]


def front(curves: pandas.DataFrame, cells: pandas.DataFrame, duration_s: float, budget: Mapping) -> pandas.DataFrame:
    """One row for each step of each curve: ``front.csv``, in the order of `cells`.

    `curves`: the rows of every ``curve.csv``, with network, recipe, lam and seed beside its own columns. `cells`: the
    table of that name. `duration_s`: the length of a clip, of which a step's MACs are. `budget`: its
    ``parameter_bytes`` and ``macs_per_second``.

    int8_bytes counts one byte for each trained parameter. at_knee marks the measured step next to a cell's knee
    (`pk_grid`). within_limit: its cell was trained, and lambda is not over its limit; what else keeps a cell out of the
    statistics, a knee beyond the curve's end say, is no fault of its networks. A step is on a front if its cell is
    within the limit and no step of such a cell is at least as accurate at a lower cost, or more accurate at the same.
    """
    cells = cells.assign(within_limit=cells["within_limit"] & cells["accuracy"].notna())
    kept = [*CELL, "family", "included", "within_limit", "width_scale", "axis", "pk_grid"]
    rows = cells[kept].merge(curves, on=CELL, how="left")
    rates = numpy.select([rows["axis"] == axis for axis in AXES], [rows[column] for column in AXES.values()])
    rows["at_knee"] = rates == rows["pk_grid"]
    rows["int8_bytes"] = rows["parameters"]
    rows["macs_per_second"] = rows["macs"] / duration_s
    rows["within_budget"] = (rows["int8_bytes"] <= budget["parameter_bytes"]) & (
        rows["macs_per_second"] <= budget["macs_per_second"]
    )
    for name, cost in (("on_front_bytes", "int8_bytes"), ("on_front_macs", "macs_per_second")):
        rows[name] = unbeaten(rows[cost], rows["accuracy"].where(rows["within_limit"]))
    return table(rows, FRONT)


def unbeaten(cost: pandas.Series, accuracy: pandas.Series) -> pandas.Series:
    """Which points no other beats: none is as cheap and more accurate, or cheaper and as accurate.

    Points without an accuracy are beaten, and beat none.
    """
    points = pandas.DataFrame({"cost": cost, "accuracy": accuracy})
    ordered = points.dropna().sort_values(["cost", "accuracy"], ascending=[True, False])
    better = ordered["accuracy"] > ordered["accuracy"].cummax().shift(fill_value=-numpy.inf)
    standing = set(ordered[better].itertuples(index=False, name=None))
    return pandas.Series([point in standing for point in points.itertuples(index=False, name=None)], cost.index)
