"""The study's tables as pages that people read: percent, names in full, nothing from outside the file."""

from collections.abc import Callable
from html import escape

import pandas

from channel_sparsity.naming import ALL, label
from channel_sparsity.shares import percent, points

#: What stands where a table has no value.
NOTHING = "\N{EN DASH}"

_STYLE = """ :root { color-scheme: light dark; --ink: #1a1a1a; --soft: #555; --line: #ddd; --paper: #fff; --band:
#f6f7f8; } @media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #aaa; --line: #3a3a3a;
--paper: #161616; --band: #1f1f1f; } } body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color:
var(--ink); background: var(--paper); } h1 { font-size: 1.3rem; margin: 0 0 .4rem; } p { max-width:
60rem; margin: 0 0 1rem; color: var(--soft); } div { overflow-x: auto; } table { border-collapse:
collapse; font-variant-numeric: tabular-nums; } th, td { padding: .3rem .7rem; border-bottom: 1px solid
var(--line); text-align: left; vertical-align: top; white-space: nowrap; } th { border-bottom: 2px solid
var(--soft); vertical-align: bottom; } .number { text-align: right; } .words { white-space: normal;
min-width: 11rem; } tbody tr:nth-child(even) { background: var(--band); }
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
    "networks": ("Networks", str),
    "criterion": ("Criterion", None),
    "repair": ("Repair", None),
    "outcome": ("Outcome", None),
    "sparse": ("Sparse", percent),
    "dense": ("Dense", percent),
    "gain": ("Gain", _three),
    "reliability": ("Reliability", _two),
    "recipe": ("Recipe", None),
    "other": ("Other recipe", None),
    "quantity": ("Quantity", None),
    "control": ("Control", None),
    "measure": ("Measure", None),
    "form": ("Form", None),
    "summary": ("Summary", None),
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
    "r": ("r (95 % interval)", _two),
    "m": ("m (95 % interval)", _three),
    "b": ("b (95 % interval)", _three),
    "p": ("p", _three),
    "interval": ("Interval", None),
    "p_same_slope": ("p, one slope", _three),
    "m_naive": ("m, networks ignored", _three),
    "r_naive": ("r, networks ignored", _two),
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
    "difference": ("Difference", _three),
    "margin": ("Margin", _three),
    "verdict": ("Verdict", None),
    "printed_verdict": ("... on the paper's numbers", None),
    "r_given_accuracy": ("r, given accuracy", _two),
    "ws_given_it": ("r of WS, given it", _two),
    "r_with_pk": ("r with PK", _two),
    "error_left_out": ("Error of a PK left out, points", points),
    "error_of_mean": ("... by its network's mean", points),
    "error_as_it_is": ("... by the measure as it is", points),
    "n_across": ("n, across networks", str),
    "r_across": ("r, across", _two),
    "gain_across": ("Smaller error across, points", points),
    "verdict_across": ("Verdict across", None),
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


def page(table: pandas.DataFrame, title: str, note: str = "") -> str:
    """One of the study's tables as an HTML page that opens offline.

    `table`: one of those that the study makes, with the columns of its CSV; those that serve programs
    only or say again what another says are left out, and intervals stand behind their estimate. `note` is a paragraph
    under the title.
    """
    hidden = {name for name in _IF_ANY if name in table and not table[name].replace("", None).notna().any()}
    for name, others in _SAID_BY.items():
        hidden |= set(others) if name in table else set()
    shown = [name for name in _COLUMNS if name in table and name not in hidden]
    head = "".join(_tag("th", name, _COLUMNS[name][0]) for name in shown)
    body = "\n".join(
        "<tr>" + "".join(_tag("td", name, _text(name, row)) for name in shown) + "</tr>"
        for row in table.to_dict("records")
    )
    paragraph = f"<p>{escape(note)}</p>\n" if note else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{paragraph}<div>\n<table>\n"
        f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>\n</body>\n</html>\n"
    )


def _tag(tag: str, column: str, text: str) -> str:
    """A cell of the table, aligned by what its column holds."""
    number = _COLUMNS[column][1] not in (None, _yes)
    align = ' class="number"' if number else ' class="words"' if column in _SENTENCES else ""
    scope = ' scope="col"' if tag == "th" else ""
    return f"<{tag}{scope}{align}>{escape(text)}</{tag}>"


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
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if pandas.isna(low) or pandas.isna(high):
        return write(value)
    return f"{write(value)} ({write(low)} to {write(high)})"
