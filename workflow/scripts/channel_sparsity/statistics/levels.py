"""One point for each lambda: the included cells of a network and recipe, averaged over seeds."""

import pandas

#: What is averaged over the seeds of a lambda.
MEASURED = ["ws", "pk", "accuracy_loss_at_pk", "compression_rate"]


def levels(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Network, family, recipe, lam and the means of `MEASURED` over seeds, in the order of the rows of `cells`.

    Replicates are averaged so that they do not pose as points (R24).
    """
    included = cells[cells["included"]]
    return included.groupby(["network", "family", "recipe", "lam"], sort=False)[MEASURED].mean().reset_index()
