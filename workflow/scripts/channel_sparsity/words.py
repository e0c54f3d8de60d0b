"""Numbers as sentences, tables and the terminal say them."""

from collections.abc import Iterable, Mapping

import pandas


def percent(share: float) -> str:
    """A share in percent, with one decimal: ``75.0 %``."""
    return f"{100 * share:.1f} %"


def points(share: float) -> str:
    """A difference of shares in points of percent, with one decimal."""
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0: no -0.0


def percents(shares: pandas.Series) -> str:
    """The smallest and the largest of several shares, in percent; a dash if there is none."""
    known = shares.dropna()
    if known.empty:
        return "\N{EN DASH}"
    low, high = percent(known.min()), percent(known.max())
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def count(number: int, thing: str) -> str:
    """A number of things: ``1 network``, ``2 networks``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def devices(block: Mapping) -> str:
    """The devices of a data set's block: ``device a``, ``devices a, b``."""
    names = block["devices"]
    return f"device{'s' * (len(names) != 1)} {', '.join(names)}"


def listed(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *rest, last = parts
    return f"{', '.join(rest)} and {last}" if rest else last


def duration(seconds: float) -> str:
    """A time of work in hours, or in minutes or seconds if it is short; two or three digits."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            amount = seconds / length
            return f"{amount:.1f} {unit}" if amount < 100 else f"{amount:,.0f} {unit}"
    return f"{seconds:.1f} s"
