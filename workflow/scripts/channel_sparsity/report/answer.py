"""The study's answer, made from its tables: a word, a sentence with its interval, and what repair makes of it.

A sentence says no more than the interval behind it: what an interval does not settle is undecided.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas

from channel_sparsity.claims.plan import CRITERION, OUTCOME, REPAIR, papers_dose
from channel_sparsity.configuration import FULL
from channel_sparsity.naming import ALL
from channel_sparsity.words import count, points

#: The word for what the interval of the primary outcome says.
VERDICTS = {"positive": "Yes", "negative": "No, the reverse", "undecided": "Undecided"}

#: What is done after each step, in words; a repair with another name is called by that.
REPAIRS = {
    "cut": "with no repair",
    "statistics": "with only the running statistics taken anew",
    "gentle": "with gentle fine-tuning",
    "full": "with the full fine-tuning",
}


@dataclass(frozen=True)
class Answer:
    """What stands first on the report: `verdict` in a word, `sentence` with its interval, and `beside` it the rest."""

    verdict: str
    sentence: str
    beside: list[str]


def answer(outcomes: pandas.DataFrame, claims: pandas.DataFrame) -> Answer:
    """Whether the ranking by gammas keeps the more over random order, the sparser a network is; and what PK does.

    `outcomes` and `claims`: the tables of these names. The word is on the primary outcome of docs/analysis-plan.md, or
    on what comes nearest in a study that lacks its criterion or its dose of repair; other doses, and PK, stand beside
    it.
    """
    own = outcomes[outcomes["scope"] == ALL].assign(later=outcomes["repair"] != REPAIR)
    own = own.sort_values("later", kind="stable")
    # One criterion speaks: the plan's, else the first that was compared with random order, else the first there is.
    gained = own[own["gain"].notna() & (own["outcome"] == OUTCOME)]
    criteria = dict.fromkeys([*gained["criterion"], *own["criterion"]])
    own = own[own["criterion"] == (CRITERION if CRITERION in criteria else next(iter(criteria), None))]
    primary = own[own["outcome"] == OUTCOME].to_dict("records")
    if not primary:
        return Answer(VERDICTS["undecided"], "No curve counts yet.", [])
    knees = own[own["outcome"] == "pk"].to_dict("records")
    first, *others = primary
    return Answer(
        VERDICTS[first["verdict"]],
        f"{_gain(first)} This is the mean over all pruning rates.",
        [_pk(row) for row in knees]
        + [f"{_gain(row)} {row['verdict'].capitalize()}." for row in others]
        + [_claims(claims)],
    )


def dose_of_claims(cells: pandas.DataFrame) -> str:
    """After which repair the claims are judged, where it is not the paper's; empty where it is."""
    repair = papers_dose(cells)
    if repair == FULL:
        return ""
    return f"The paper fine-tunes after each step. This study has no such curve, so claims are judged {_done(repair)}."


def _gain(row: Mapping) -> str:
    """The primary outcome at one dose of repair."""
    done = _done(row["repair"])
    if pandas.isna(row["gain"]):
        return f"Nothing can be compared with random order, {done}."
    more = "more" if row["gain"] > 0 else "less"
    text = f"Where WS is larger by 1, {row['criterion']} keeps {points(abs(row['gain']))} points {more} of accuracy"
    return f"{text} than random order, {done} ({_interval(row, 'gain')})."


def _pk(row: Mapping) -> str:
    """The slope of PK at one dose of repair, and how reliable PK is."""
    done = _done(row["repair"])
    if pandas.isna(row["m"]):
        return f"No slope of Prune Knee is known, {done}: {row['reason']}."
    higher = "higher" if row["m"] > 0 else "lower"
    text = f"Prune Knee is {points(abs(row['m']))} points {higher} where WS is larger by 1, {done}"
    text += f" ({_interval(row, 'm')})."
    if pandas.isna(row["reliability"]):
        return f"{text} Its reliability is not known: that takes two seeds."
    bounds = f"{row['reliability_low']:.2f} to {row['reliability_high']:.2f}"
    return f"{text} Its reliability between seeds is {row['reliability']:.2f} ({bounds}), where 1 is perfect."


def _done(repair: str) -> str:
    """What is done after each step, at the end of a clause."""
    return REPAIRS.get(repair, f"with the repair {repair}")


def _interval(row: Mapping, name: str) -> str:
    """The interval of a number, and what it is over."""
    networks = row["networks_gain" if name == "gain" else "networks"]
    sizes = f"{count(networks, 'network')}, {count(row['seeds'], 'seed')}"
    if pandas.isna(row[f"{name}_low"]):
        return f"no interval; {sizes}"
    return f"95 % interval: {points(row[f'{name}_low'])} to {points(row[f'{name}_high'])}; {sizes}"


def _claims(claims: pandas.DataFrame) -> str:
    """What came of the paper's claims."""
    judged = claims.dropna(subset=["estimate"])
    tally = judged["verdict"].value_counts()
    return (
        f"The paper's claims were put to {count(len(judged), 'test')}. {tally.get('supported', 0)} come out supported, "
        f"{tally.get('contradicted', 0)} contradicted and {tally.get('undecided', 0)} undecided. Tests on what this "
        "study lacks are left out."
    )
