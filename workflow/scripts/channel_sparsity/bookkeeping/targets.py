"""The target that somebody meant who asked for one that there is not."""

import difflib
import re
from collections.abc import Iterable
from contextlib import suppress


def nearest(target: str, known: Iterable[str]) -> str | None:
    """The one of the `known` names that is spelt most like `target`; None if none is. Lambdas count as numbers."""
    spelt = {_with_numbers(name): name for name in known}
    return next((spelt[name] for name in difflib.get_close_matches(_with_numbers(target), spelt, n=1)), None)


def _with_numbers(name: str) -> str:
    """A name in which every lambda is written in the same way: 0.001 is 1e-3."""

    def written(found: re.Match) -> str:
        with suppress(ValueError):
            return f"{float(found[0]):e}"
        return found[0]

    return re.sub(r"(?<=lambda-)[^/]+", written, name)
