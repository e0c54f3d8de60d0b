"""The analysis plan in code: what the study's first sentence is about (docs/analysis-plan.md)."""

import pandas

from channel_sparsity.configuration import FULL

#: The primary outcome: the slope on WS of this outcome by this criterion, less the same in random order, at this dose.
CRITERION, REPAIR, OUTCOME = "slimming", "statistics", "mean_accuracy"


def at_the_papers_dose(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of ``cells.csv`` that stand beside the paper, their recipes named by the criterion alone.

    Those of the full repair; a study that has none is judged at the plan's dose, and one without that at its first.
    """
    there = list(dict.fromkeys(cells["repair"]))
    repair = next((each for each in (FULL, REPAIR) if each in there), there[0] if there else FULL)
    chosen = cells[cells["repair"] == repair]
    return chosen.assign(recipe=chosen["criterion"]).reset_index(drop=True)
