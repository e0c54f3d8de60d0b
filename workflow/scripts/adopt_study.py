"""Adopt a study that somebody handed on, and make its knees, tables and figures again.

    python workflow/scripts/adopt_study.py demo.zip

The study comes as a zip archive of results/<study>/, or as that folder. It is compared with its own checksums; its
configuration becomes results/<study>/configuration.json; Snakemake is told that everything is finished.
What is made from them is then made again and compared with what was handed on. Neither data nor network are needed.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from channel_sparsity.bookkeeping.fingerprint import fingerprint
from channel_sparsity.bookkeeping.handover import check, place, same_time, unpack
from channel_sparsity.configuration import families_and_methods
from channel_sparsity.files import StudyError, sha256, write_json

SCRIPTS = Path(__file__).resolve().parent
ROOT = SCRIPTS.parents[1]

#: Rules whose outputs are taken over ...
TAKEN = ("synthesise_scenes", "list_clips", "extract_features", "extract_archive", "merge_shards", "split_clips")
TAKEN += ("train_network", "prune_network", "remake_network", "export_model")
#: ... and those that run again.
AGAIN = ("measure_sparsity", "find_knee", "make_tables", "compare_measures", "vary_readings", "make_front")
AGAIN += ("draw_figures", "draw_alternatives", "draw_front")


def adopt(source: Path, directory: Path, cores: str) -> str:
    """Adopt a study below `directory`; return a sentence about what was made again."""
    results = directory / "results"
    folder = source.resolve() if source.is_dir() else unpack(source, results)
    if folder.parent != results.resolve():
        raise StudyError(f"{source} is not in {results}: move it there, or name the zip archive of it")
    made_by = check(folder, _code)
    configuration = folder / "configuration.json"
    data = directory / "data" / made_by["dataset"]
    place(folder, data)
    write_json(configuration, made_by)
    same_time([folder, data])
    known = ["--configfile", str(configuration)]
    options = ["--cores", cores, "--directory", str(directory), "--quiet", "all"]
    _snakemake("--touch", "--forceall", *options, *known)
    before = _digests(folder)
    # Nothing else may run: no training, no download.
    targets = ("tables", "figures")
    _snakemake(*targets, "--forcerun", *AGAIN, "--allowed-rules", *targets, *AGAIN, *options, *known)
    after = _digests(folder)
    same = [name for name, digest in after.items() if before.get(name) == digest]
    others = ", ".join(sorted(after.keys() - set(same))) or "none"
    return (
        f"{len(after)} tables and figures in {folder} were made again, {len(same)} of them to the same bytes "
        f"(others: {others}). To go on: snakemake --configfile {configuration}"
    )


def _code(configuration: Mapping) -> dict[str, str]:
    """The fingerprints that the record of a study would have here, of the rules whose outputs are taken over."""
    chosen = families_and_methods(configuration)
    return {rule: fingerprint(SCRIPTS / f"{rule}.py", chosen) for rule in TAKEN}


def _snakemake(*arguments: str) -> None:
    """Run Snakemake from the tree; what it says is said if it fails."""
    said = subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=ROOT, capture_output=True, text=True)
    if said.returncode:
        raise StudyError(f"snakemake failed:\n{said.stdout}{said.stderr}")


def _digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every table and figure, by its name."""
    paths = [*folder.glob("tables/*.*"), *folder.glob("figures/*.*")]
    return {path.name: sha256(path) for path in sorted(paths) if path.suffix in (".csv", ".html", ".svg", ".png")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the zip archive of results/<study>/, or that folder")
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="where data/ and results/ are")
    parser.add_argument("--cores", default="all")
    arguments = parser.parse_args()
    try:
        print(adopt(arguments.source.absolute(), arguments.directory.absolute(), arguments.cores))
    except StudyError as error:
        sys.exit(f"error: {error}")
