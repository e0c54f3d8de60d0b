"""One point for each lambda: numbers of cells averaged over seeds, so that replicates do not pose as points (R24)."""

from collections.abc import Iterable

import pandas


def over_seeds(cells: pandas.DataFrame, columns: Iterable[str]) -> pandas.DataFrame:
    """The means of columns over the seeds of each lambda, network and recipe, in the order of the rows.

    `cells`: the columns, lam and, if there are several, network, family and recipe, which stand in the result too.
    """
    keys = [name for name in ("network", "family", "recipe", "lam") if name in cells]
    return cells.groupby(keys, sort=False)[list(columns)].mean().reset_index()
