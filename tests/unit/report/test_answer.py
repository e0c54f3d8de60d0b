"""What stands first on the report, against rows of tables made by hand."""

import pandas
import pytest

from channel_sparsity.claims import claims
from channel_sparsity.claims.plan import CRITERION, OUTCOME, REPAIR
from channel_sparsity.report.answer import answer, dose_of_claims
from channel_sparsity.tables import outcomes


def row(**changes):
    """A row of all networks: the primary outcome of the plan, with a gain of 5 points, unless told otherwise."""
    return {
        "criterion": CRITERION,
        "repair": REPAIR,
        "outcome": OUTCOME,
        "scope": "all",
        "networks": 3,
        "networks_gain": 3,
        "seeds": 5,
        "gain": 0.05,
        "gain_low": 0.02,
        "gain_high": 0.08,
        "verdict": "positive",
    } | changes


def knee(**changes):
    """A row of all networks: Prune Knee, 8 points higher where WS is larger by 1, unless told otherwise."""
    numbers = {"m": 0.08, "m_low": 0.061, "m_high": 0.1}
    reliability = {"reliability": 0.84, "reliability_low": 0.62, "reliability_high": 0.95}
    return row(outcome="pk") | numbers | reliability | changes


def judged(*verdicts):
    """Tests of claims that came out so, a last one that had nothing to go by."""
    known = [{"claim": str(place), "estimate": 0.5, "verdict": verdict} for place, verdict in enumerate(verdicts)]
    return pandas.DataFrame([*known, {"claim": "unknown", "verdict": "undecided"}], columns=list(claims.COLUMNS))


def said(*rows, verdicts=("supported",)):
    return answer(pandas.DataFrame(rows, columns=list(outcomes.COLUMNS)), judged(*verdicts))


@pytest.mark.parametrize(
    ("verdict", "gain", "word", "sentence"),
    [
        ("positive", (0.05, 0.02, 0.08), "Yes", "5.0 points more of accuracy than random order, with only"),
        ("negative", (-0.05, -0.08, -0.02), "No, the reverse", "5.0 points less of accuracy than random order"),
        ("undecided", (0.05, -0.01, 0.11), "Undecided", "(95 % interval: -1.0 to 11.0; 3 networks, 5 seeds)"),
    ],
)
def test_the_word_is_that_of_the_primary_outcome_and_its_sentence_has_the_interval(verdict, gain, word, sentence):
    found = said(row(verdict=verdict, **dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))))
    assert found.verdict == word
    assert found.sentence.startswith("Where WS is larger by 1, slimming keeps")
    assert "random order, with only the running statistics taken anew (95 %" in found.sentence
    assert sentence in found.sentence and found.sentence.endswith("). This is the mean over all pruning rates.")


def test_other_doses_of_repair_stand_beside_the_plans_with_verdicts_of_their_own():
    found = said(
        row(repair="cut", gain=0.09, gain_low=0.07, gain_high=0.11),
        row(repair="full", gain=-0.01, gain_low=-0.02, gain_high=0.01, verdict="undecided"),
        row(verdict="negative", gain=-0.05, gain_low=-0.08, gain_high=-0.02),
        row(repair="mine", gain=0.02, gain_low=0.01, gain_high=0.03),
    )
    assert found.verdict == "No, the reverse" and "running statistics" in found.sentence
    none, full, mine, _ = found.beside
    assert "9.0 points more" in none and ", with no repair (" in none and none.endswith("). Positive.")
    assert "1.0 points less" in full and ", with the full fine-tuning (" in full and full.endswith("). Undecided.")
    assert "2.0 points more" in mine and ", with the repair mine (" in mine


def test_prune_knee_stands_beside_it_with_its_slope_and_its_reliability():
    statistics, full, gentle, none, _ = said(
        row(),
        knee(repair="full", m=-0.02, m_low=-0.05, m_high=0.01),
        knee(repair="gentle", reliability=None, reliability_low=None, reliability_high=None),
        knee(repair="cut", m=None, m_low=None, m_high=None, reason="no network has three lambdas"),
        knee(),
    ).beside
    assert statistics == (
        "Prune Knee is 8.0 points higher where WS is larger by 1, with only the running statistics taken anew "
        "(95 % interval: 6.1 to 10.0; 3 networks, 5 seeds). Its reliability between seeds is 0.84 (0.62 to 0.95), "
        "where 1 is perfect."
    )
    assert "2.0 points lower where" in full and "(95 % interval: -5.0 to 1.0" in full
    assert gentle.endswith(" Its reliability is not known: that takes two seeds.")
    assert none == "No slope of Prune Knee is known, with no repair: no network has three lambdas."


def test_only_the_plans_criterion_outcomes_and_all_networks_together_speak():
    loud = {"gain": 0.99, "gain_low": 0.98, "gain_high": 1.0, "m": 0.99, "m_low": 0.98, "m_high": 1.0}
    found = said(
        row(criterion="ista", **loud),
        row(scope="vgg11", **loud),
        row(outcome="share_kept", **loud),
        knee(criterion="random", **loud),
        knee(scope="vgg11", **loud),
        row(verdict="undecided"),
        knee(),
    )
    assert found.verdict == "Undecided" and len(found.beside) == 2
    assert not any("99.0" in text for text in (found.sentence, *found.beside))


def test_a_study_without_the_plans_criterion_or_dose_answers_with_what_it_has():
    found = said(row(criterion="ista", repair="full"), knee(criterion="ista", repair="full"))
    assert found.verdict == "Yes"
    assert found.sentence.startswith("Where WS is larger by 1, ista keeps 5.0 points more")
    assert "with the full fine-tuning" in found.sentence
    assert len(found.beside) == 2


def test_without_the_plans_criterion_one_that_was_compared_speaks_and_random_order_never_does():
    control = {"criterion": "random", "gain": None, "gain_low": None, "gain_high": None, "verdict": "undecided"}
    found = said(row(**control), knee(criterion="random", m=-0.3), row(criterion="ista"), knee(criterion="ista"))
    assert found.verdict == "Yes" and found.sentence.startswith("Where WS is larger by 1, ista keeps 5.0 points more")
    assert len(found.beside) == 2 and "8.0 points higher" in found.beside[0]


def test_without_random_order_there_is_no_verdict():
    found = said(row(gain=None, gain_low=None, gain_high=None, verdict="undecided"), knee())
    assert found.verdict == "Undecided"
    assert found.sentence.startswith("Nothing can be compared with random order, with only the running statistics")
    assert "Prune Knee is 8.0 points higher" in found.beside[0]


def test_a_number_without_an_interval_says_so():
    alone = {"networks": 1, "networks_gain": 1, "seeds": 1}
    found = said(
        row(gain_low=None, gain_high=None, verdict="undecided", **alone), knee(m_low=None, m_high=None, **alone)
    )
    assert found.verdict == "Undecided"
    assert "(no interval; 1 network, 1 seed)." in found.sentence
    assert "(no interval; 1 network, 1 seed)" in found.beside[0]


def test_a_study_in_which_nothing_counts_yet_has_no_answer():
    found = said()
    assert (found.verdict, found.sentence, found.beside) == ("Undecided", "No curve counts yet.", [])


def test_claims_are_counted_by_what_came_of_them_but_for_those_that_cannot_be_judged():
    *_, last = said(row(), verdicts=("supported", "undecided", "supported", "contradicted")).beside
    assert last.startswith("The paper's claims were put to 4 tests. 2 come")
    assert "2 come out supported, 1 contradicted and 1 undecided." in last
    assert "put to 1 test." in said(row()).beside[-1]


@pytest.mark.parametrize(
    ("repairs", "end"),
    [
        (["cut", "full"], ""),
        (["cut", "statistics"], "claims are judged with only the running statistics taken anew."),
        (["mine"], "claims are judged with the repair mine."),
    ],
)
def test_the_page_says_where_claims_are_judged_without_the_papers_fine_tuning(repairs, end):
    said = dose_of_claims(pandas.DataFrame({"repair": repairs}))
    assert said.endswith(end) and bool(said) == bool(end)
