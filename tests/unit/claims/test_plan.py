from pathlib import Path

import pandas
import pytest
from cells_for_tests import record

from channel_sparsity.claims.plan import CRITERION, OUTCOME, REPAIR, at_the_papers_dose
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.outcomes import OUTCOMES

PLAN = Path(__file__).parents[3] / "docs" / "analysis-plan.md"


def cells_at(*repairs):
    return tables.cells(
        [record(recipe=recipe, repair=repair) for recipe in ("slimming", "random") for repair in repairs], 0.03
    )


@pytest.mark.parametrize(
    ("repairs", "dose"),
    [
        (("cut", "statistics", "full"), "full"),
        (("full", "gentle"), "full"),
        (("gentle", "cut", "statistics"), "statistics"),
        (("gentle", "cut"), "gentle"),
        (("mine",), "mine"),
    ],
)
def test_what_stands_beside_the_paper_is_of_the_full_repair_or_of_what_comes_nearest(repairs, dose):
    cells = cells_at(*repairs)
    chosen = at_the_papers_dose(cells)
    assert set(chosen["repair"]) == {dose}
    assert chosen["recipe"].tolist() == chosen["criterion"].tolist() == ["slimming", "random"]
    assert chosen.index.tolist() == [0, 1]
    # All but the name is as it was, and so is what it was made from.
    own = cells[cells["repair"] == dose].reset_index(drop=True)
    pandas.testing.assert_frame_equal(chosen.drop(columns="recipe"), own.drop(columns="recipe"))
    assert cells["recipe"].equals(cells_at(*repairs)["recipe"])


def test_a_study_without_cells_has_none_at_any_dose():
    none = at_the_papers_dose(tables.cells([], 0.03))
    assert none.empty and list(none.columns) == list(tables.CELLS)


def test_the_primary_outcome_is_that_of_the_written_plan():
    assert (CRITERION, REPAIR, OUTCOME) == ("slimming", "statistics", "mean_accuracy")
    assert OUTCOME in OUTCOMES
    text = PLAN.read_text(encoding="utf-8")
    assert "(repair `statistics`)" in text
    assert "the **mean accuracy** over all pruning rates" in text
    assert "by Slimming, less the same\n   in random order" in text
