"""ESC-50 (Piczak 2015), or its subset ESC-10, as a folder of recordings in TAU's layout."""

from pathlib import Path

import pandas

from channel_sparsity.data.meta import META_COLUMNS, first
from channel_sparsity.files import StudyError, cannot_write, write_text

COLUMNS = ["filename", "fold", "category", "esc10", "src_file"]
"""What is read of meta/esc50.csv; target and take are in the file names too."""


def convert(source: Path, target: Path, esc10: bool) -> int:
    """Lay out the ESC-50 in `source` (its meta/ and audio/) as the folder `target`; how many clips it has.

    audio/ holds a symbolic link for each clip, so `source` has to stay where it is. In ``meta.csv`` the scene is the
    category, the identifier the fold and the Freesound recording that the clip was cut from (``fold1-100032``: clips of
    one recording stay together in a split by location), the device ``a``. ``evaluation_setup/fold1_train.csv`` lists
    the clips outside of fold 1, and so on, for ``split.kind: official``. `esc10`: only the ten classes of ESC-10.
    `StudyError` for a `source` that is no ESC-50, and for a `target` that is there already.
    """
    table = source / "meta" / "esc50.csv"
    try:
        clips = pandas.read_csv(table, usecols=COLUMNS, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise StudyError(f"{table} cannot be read ({error}): name the folder of ESC-50 as it is published") from error
    clips = clips[(clips["esc10"] == "True") | (not esc10)]
    absent = [name for name in clips["filename"] if not (source / "audio" / name).is_file()]
    if absent:
        raise StudyError(f"{source / 'audio'} lacks {first(absent)}: unpack ESC-50 anew")
    if target.exists():
        raise StudyError(f"{target} is there already: name a folder that is not, or delete it")
    names = "audio/" + clips["filename"]
    fields = (names, clips["category"], "fold" + clips["fold"] + "-" + clips["src_file"], "a")
    tables = {"meta.csv": pandas.DataFrame(dict(zip(META_COLUMNS, fields, strict=True)))}
    for fold in sorted(set(clips["fold"])):
        tables[f"evaluation_setup/fold{fold}_train.csv"] = names[clips["fold"] != fold].to_frame()
    try:
        (target / "audio").mkdir(parents=True)
        for name in names:
            (target / name).symlink_to((source / name).resolve())
        for name, rows in tables.items():
            write_text(target / name, rows.to_csv(sep="\t", index=False, lineterminator="\n"))
    except OSError as error:
        raise cannot_write(target, error) from error
    return len(clips)
