"""The analysis plan in code: what the study's first sentence is about (docs/analysis-plan.md)."""

import pandas

from channel_sparsity.configuration import FULL

#: The primary outcome: the slope on WS of this outcome by this criterion, less the same in random order, at this dose.
CRITERION, REPAIR, OUTCOME = "slimming", "statistics", "mean_accuracy"


def papers_dose(cells: pandas.DataFrame) -> str:
    """The repair at which a study is set beside the paper: the full one, else the plan's, else the study's first."""
    there = list(dict.fromkeys(cells["repair"]))
    return next((each for each in (FULL, REPAIR) if each in there), there[0] if there else FULL)


def at_the_papers_dose(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of ``cells.csv`` at `papers_dose`, their recipes named by the criterion alone."""
    chosen = cells[cells["repair"] == papers_dose(cells)]
    return chosen.assign(recipe=chosen["criterion"]).reset_index(drop=True)
