"""The study's tables as pages that people read: percent, names in full, nothing from outside the file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas
from jinja2 import Environment
from markupsafe import Markup

from channel_sparsity.claims import claims, paper
from channel_sparsity.files import sha256, write_csv, write_json, write_text
from channel_sparsity.naming import ALL, label
from channel_sparsity.tables import comparisons, front, measures, outcomes, readings
from channel_sparsity.tables import study as tables
from channel_sparsity.words import percent, points

#: What stands where a table has no value.
NOTHING = "\N{EN DASH}"

_STYLE = """ :root { color-scheme: light dark; --ink: #1a1a1a; --soft: #555; --line: #ddd; --paper: #fff; --band:
#f6f7f8; } @media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #aaa; --line: #3a3a3a;
--paper: #161616; --band: #1f1f1f; } } body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color:
var(--ink); background: var(--paper); } h1 { font-size: 1.3rem; margin: 0 0 .4rem; } p { max-width:
60rem; margin: 0 0 1rem; color: var(--soft); } div { overflow-x: auto; } table { border-collapse:
collapse; font-variant-numeric: tabular-nums; } th, td { padding: .3rem .7rem; border-bottom: 1px solid
var(--line); text-align: left; vertical-align: top; white-space: nowrap; } thead th { border-bottom: 2px solid
var(--soft); vertical-align: bottom; } tbody th { font-weight: inherit; }
.number { text-align: right; } .words { white-space: normal; min-width: 11rem; }
tbody tr:nth-child(even) { background: var(--band); }
"""


_two, _three, _thousands = (form.format for form in ("{:.2f}", "{:.3f}", "{:,}"))


def _yes(value: bool) -> str:
    """A truth in words."""
    return "yes" if value else "no"


#: The columns that people read, in the order of the page: the heading, and how a value is written (None:
#: words).
_COLUMNS: dict[str, tuple[str, Callable | None]] = {
    "what": ("What", None),
    "says": ("The paper says", None),
    "where": ("Where", None),
    "network": ("Network", None),
    "criterion": ("Criterion", None),
    "repair": ("Repair", None),
    "outcome": ("Outcome", None),
    "sparse": ("Sparse", percent),
    "dense": ("Dense", percent),
    "gain": ("Gain (95 % interval)", _three),
    "reliability": ("Reliability (95 % interval)", _two),
    "recipe": ("Recipe", None),
    "other": ("Other recipe", None),
    "quantity": ("Quantity", None),
    "measure": ("Measure", None),
    "reading": ("Reading", None),
    "lam": ("Lambda", None),
    "seed": ("Seed", str),
    "step": ("Step", str),
    "channel_rate": ("Channels removed", percent),
    "accuracy": ("Accuracy", percent),
    "accuracy_unpruned_finetuned": ("... fine-tuned unpruned", percent),
    "ws": ("WS", _two),
    "pk": ("PK (95 % interval)", percent),
    "accuracy_loss_at_pk": ("Loss at PK, points", points),
    "accuracy_loss_held_out": ("... on other clips", points),
    "compression_rate": ("Compression at PK", percent),
    "parameters": ("Parameters", _thousands),
    "macs_per_second": ("MACs a second", "{:,.0f}".format),
    "at_knee": ("Knee", _yes),
    "within_budget": ("Within the budget", _yes),
    "on_front_bytes": ("Not beaten at its size", _yes),
    "on_front_macs": ("... at its MACs", _yes),
    "value": ("Value", _three),
    "value_other": ("... of the other", _three),
    "estimate": ("Ours (95 % interval)", _three),
    "n": ("n", str),
    "networks": ("Networks", str),
    "r": ("r (95 % interval)", _two),
    "m": ("m (95 % interval)", _three),
    "b": ("b (95 % interval)", _three),
    "p": ("p", _three),
    "interval": ("Interval", None),
    "r_points": ("r, every seed", _two),
    "n_points": ("n, every seed", str),
    "tau_b": ("tau-b", _two),
    "r_without_exclusion": ("r, no lambda excluded", _two),
    "n_without_exclusion": ("n, no lambda excluded", str),
    "r_with_censored": ("r, censored at bound", _two),
    "n_with_censored": ("n, censored at bound", str),
    "n_censored": ("... of them censored", str),
    "ours": ("Ours (95 % interval)", _three),
    "paper": ("Paper", _three),
    "m_control": ("m, control (95 % interval)", _three),
    "difference": ("Difference (95 % interval)", _three),
    "margin": ("Margin", _three),
    "verdict": ("Verdict", None),
    "printed_verdict": ("... on the paper's numbers", None),
    "included": ("Included", _yes),
    "reason": ("Reason", None),
    "test": ("Test", None),
}

#: Columns of words that may break.
_SENTENCES = ("says", "where", "quantity", "reason", "test")

#: Columns that say what others say already: a recipe's name is that of its criterion and its repair, and each row of
#: ``paper.csv`` says in words what it is of.
_SAID_BY = {"recipe": ("criterion", "repair"), "what": ("network", "recipe", "quantity")}

#: Columns that are left out where no row has a value in them.
_IF_ANY = ("accuracy_unpruned_finetuned", "reason")

#: The quantities of ``paper.csv`` that people read as percent.
_SHARES = ("accuracy", "pk", "accuracy_loss_at_pk", "compression_rate")


#: A table, and a page that holds one.
_TEMPLATES = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_TABLE = _TEMPLATES.from_string(
    """<table>
<thead>
<tr>{% for kind, words in heads %}<th scope="col"{{ kind }}>{{ words }}</th>{% endfor %}</tr>
</thead>
<tbody>
{% for row in rows %}
<tr>{% for kind, words in row %}
{% if loop.first %}<th scope="row"{{ kind }}>{{ words }}</th>{% else %}<td{{ kind }}>{{ words }}</td>{% endif %}
{% endfor %}</tr>
{% endfor %}
</tbody>
</table>"""
)
_PAGE = _TEMPLATES.from_string(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>{{ title }}</h1>
{% if note %}
<p>{{ note }}</p>
{% endif %}
<div>
{{ table }}
</div>
</body>
</html>
"""
)


@dataclass(frozen=True)
class Page:
    """What a table's page says: a title, a note on how to read it, and the rows to read, of all of the table's.

    `columns`: the table's columns and their types.
    """

    title: str
    note: str
    columns: Mapping
    rows: Callable[[pandas.DataFrame], pandas.DataFrame] = lambda table: table

    def read(self, path: str | Path) -> Markup:
        """The table of a CSV file to read, as HTML."""
        return self.markup(tables.read_table(path, self.columns))

    def markup(self, table: pandas.DataFrame) -> Markup:
        """The table to read, as HTML."""
        return markup(self.rows(table))

    def text(self, table: pandas.DataFrame, note: str) -> str:
        """The page, which opens offline. `note` stands behind the page's own."""
        both = f"{self.note} {note}".strip()
        return _PAGE.render(title=self.title, note=both, table=self.markup(table), style=Markup(_STYLE))


def _together(table: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of all networks together, with measures and outcomes in words."""
    return table[table["scope"] == ALL].replace({"measure": measures.MEASURES, "outcome": outcomes.OUTCOMES})


def _best(table: pandas.DataFrame) -> pandas.DataFrame:
    """The steps that no other beats, and those at knees."""
    return table[table["on_front_bytes"] | table["on_front_macs"] | table["at_knee"]]


_INTERVALS = (
    "Each lambda is a point, the mean over its seeds. Intervals are {}; from three seeds on, the wider of that and of "
    "the seeds resampled within lambdas."
)

#: The pages of the study's tables, by the tables' names.
PAGES = {
    "cells": Page(
        "Every pruned network",
        "The interval of PK: validation locations resampled, the network as it is. Loss on other clips: PK placed by "
        "half of the locations, its loss read from the other half.",
        tables.CELLS,
    ),
    "correlation": Page(
        "Correlation of Weight Skewness and Prune Knee", _INTERVALS.format("Fisher's"), tables.CORRELATION
    ),
    "regression": Page(
        "Linear regression of Prune Knee on Weight Skewness", _INTERVALS.format("Student's"), tables.REGRESSION
    ),
    "comparisons": Page(
        "Recipes in pairs",
        "The first recipe less the other, on the cells that both have. Equivalent: the interval lies within the margin "
        "on both sides. Different: it excludes 0 and leaves the margin. Undecided: neither.",
        comparisons.COMPARISONS,
    ),
    "paper": Page("The paper's numbers beside ours", "What the study has a counterpart of comes first.", paper.COLUMNS),
    "claims": Page(
        "The paper's claims",
        "Undecided: the interval does not settle it, or cells are missing. The last verdict is of the same test on the "
        "numbers that the paper prints, with six points a network, which is assumed; empty where they do not suffice.",
        claims.COLUMNS,
    ),
    "measures": Page("What follows Prune Knee, within networks", "", measures.COLUMNS, _together),
    "outcomes": Page(
        "Slopes on Weight Skewness at every dose of repair, and in random order",
        "",
        outcomes.COLUMNS,
        lambda table: _together(table).drop(columns="r"),  # which is of single networks
    ),
    "criteria": Page(
        "Channels that can go at matched accuracy: trained to be sparse, or ranked well without",
        "",
        outcomes.CRITERIA,
        _together,
    ),
    "readings": Page("r and m under other readings of the paper, one at a time", "", readings.COLUMNS),
    "front": Page(
        "What accuracy costs",
        "Steps of pruning curves that no other step beats, in int8 parameters (one byte each) or in "
        "multiply-accumulates, and those at knees; the CSV has all. Validation clips placed the knees and say what is "
        "beaten: accuracies are optimistic.",
        front.FRONT,
        _best,
    ),
}


def write_table(paths: Iterable[str | Path], name: str, table: pandas.DataFrame, note: str, origin: Mapping) -> None:
    """Write a table's CSV, HTML page and JSON record to `paths`, in that order.

    `name`: a key of `PAGES`. `note`: what every page of the study says. `origin`: what the record holds beside the
    CSV's digest.
    """
    csv, html, record = paths
    write_csv(csv, table)
    write_text(html, PAGES[name].text(table, note))
    write_json(record, {"table": Path(csv).name, "sha256": sha256(csv)} | dict(origin))


def markup(table: pandas.DataFrame) -> Markup:
    """A table to read as HTML, with intervals behind their estimate.

    Columns that serve programs only, or say again what another says, are left out.
    """
    hidden = {name for name in _IF_ANY if name in table and not table[name].replace("", None).notna().any()}
    for name, others in _SAID_BY.items():
        hidden |= set(others) if name in table else set()
    shown = [name for name in _COLUMNS if name in table and name not in hidden]
    kinds = {name: _kind(name) for name in shown}
    return Markup(
        _TABLE.render(
            heads=[(kinds[name], _COLUMNS[name][0]) for name in shown],
            rows=([(kinds[name], _text(name, row)) for name in shown] for row in table.to_dict("records")),
        )
    )


def _kind(column: str) -> Markup:
    """The attribute that aligns a column by what it holds."""
    if _COLUMNS[column][1] not in (None, _yes):
        return Markup(' class="number"')
    return Markup(' class="words"') if column in _SENTENCES else Markup()


def _text(column: str, row: dict) -> str:
    """A value as people read it, with its interval where the row has one."""
    value, write = row[column], _COLUMNS[column][1]
    if pandas.isna(value):
        return NOTHING
    if column == "network" and value != ALL:
        return label(value, row["width_scale"])
    if write is None:
        return str(value)
    if write is _three and row.get("quantity") in _SHARES:
        write = percent
    return bounded(row, column, write)


def bounded(row: Mapping, name: str, write: Callable[[float], str]) -> str:
    """A number of a row, with its interval where it has one; `NOTHING` if there is none."""
    value, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if pandas.isna(value):
        return NOTHING
    if pandas.isna(low) or pandas.isna(high):
        return write(value)
    return f"{write(value)} ({write(low)} to {write(high)})"
