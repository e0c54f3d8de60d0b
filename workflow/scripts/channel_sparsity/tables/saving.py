"""A table, and the three files that it is kept in: for programs, for people, and where it came from."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas

from channel_sparsity.files import sha256, write_csv, write_json, write_text
from channel_sparsity.tables.pages import page


def table(rows: Iterable[Mapping], columns: Mapping) -> pandas.DataFrame:
    """Rows as a table of the given columns and types; counts that are missing are 0, words empty."""
    frame = pandas.DataFrame(rows, columns=list(columns))
    missing = {name: "" if kind is str else 0 for name, kind in columns.items() if kind is not float}
    return frame.fillna(missing).astype(columns)


def write_table(
    paths: Iterable[str | Path],
    table: pandas.DataFrame,
    shown: pandas.DataFrame,
    title: str,
    note: str,
    origin: Mapping,
) -> None:
    """Write a table's CSV, HTML page and JSON record to `paths`, in that order.

    `shown`: the rows that people read, in their words. `origin`: what the record holds beside the CSV's digest.
    """
    csv, html, record = paths
    write_csv(csv, table)
    write_text(html, page(shown, title, note))
    write_json(record, {"table": Path(csv).name, "sha256": sha256(csv)} | dict(origin))


def origin(configuration: Mapping, code: Mapping, files: Iterable) -> dict:
    """Where a table came from: the study's configuration, the fingerprints of its stages, the digests of its files."""
    return {
        "configuration": configuration,
        "code": code,
        "made_from": {str(file): sha256(file) for file in files},
    }
