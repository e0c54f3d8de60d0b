"""A table of given columns, and where it came from."""

from collections.abc import Iterable, Mapping

import pandas

from channel_sparsity.files import sha256


def table(rows: Iterable[Mapping], columns: Mapping) -> pandas.DataFrame:
    """Rows as a table of the given columns and types; counts that are missing are 0, words empty."""
    frame = pandas.DataFrame(rows, columns=list(columns))
    missing = {name: "" if kind is str else 0 for name, kind in columns.items() if kind is not float}
    return frame.fillna(missing).astype(columns)


def origin(configuration: Mapping, code: Mapping, files: Iterable) -> dict:
    """Where a table came from: the study's configuration, the fingerprints of its stages, the digests of its files."""
    return {
        "configuration": configuration,
        "code": code,
        "made_from": {str(file): sha256(file) for file in files},
    }
