"""What the user's own files were like when a data set was made from them: whether they are others now.

Snakemake sees a file that is newer than what was made from it, and no other: not a table or a recording that took the
place of another with an older time stamp.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from channel_sparsity.files import sha256


def states(tables: Iterable[str | Path], recordings: Iterable[str | Path]) -> dict[str, dict]:
    """What files are known by, if they exist: tables by SHA-256, recordings by size (bytes) and time stamp (ns)."""
    found = {path: path.stat() for path in map(Path, recordings) if path.is_file()}
    return {
        "tables": {str(path): sha256(path) for path in map(Path, tables) if path.is_file()},
        "recordings": {str(path): [each.st_size, each.st_mtime_ns] for path, each in sorted(found.items())},
    }


def digest(now: Mapping, noted: Mapping) -> str:
    """One word for `states`; tables that are gone, or all recordings, count as they were `noted`."""
    kept = {"tables": noted.get("tables", {}) | now["tables"]}
    kept["recordings"] = now["recordings"] or noted.get("recordings", {})
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def changes(now: Mapping, noted: Mapping, most: int = 3) -> str:
    """Which of the files that were `noted` are others `now`, in words; empty if none is."""
    tables = [path for path, was in noted["tables"].items() if now["tables"].get(path, was) != was]
    before, after = noted["recordings"], now["recordings"]
    found = [f"{path} has another content" for path in tables]
    for path in sorted({*before, *after} if after else ()):
        if path not in before:
            found.append(f"{path} is new")
        elif path not in after:
            found.append(f"{path} is gone")
        elif before[path] != after[path]:
            found.append(f"{path} was {_words(before[path])}, and is {_words(after[path])}")
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "; ".join([*found[:most], *more])


def _words(state: list[int]) -> str:
    size, stamp = state
    return f"{size:,} bytes of {datetime.fromtimestamp(stamp / 1e9):%Y-%m-%d %H:%M:%S}"
