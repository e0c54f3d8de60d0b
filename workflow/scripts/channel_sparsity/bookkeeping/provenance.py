"""One record of a whole study: what decides its numbers, and, apart from it, what one run was like."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement

from channel_sparsity.data.sources import source_of
from channel_sparsity.files import read_csv, sha256
from channel_sparsity.machine import installed, machine, versions

_ON = re.compile(r"^\S+ \S+ on (.+)$", flags=re.MULTILINE)
_COMPUTES_ON = re.compile(r"^\S+ \S+ computes on (.+)$", flags=re.MULTILINE)
_FINISHED = re.compile(r"finished after ([0-9.]+) s$", flags=re.MULTILINE)


def decides(
    configuration: Mapping,
    code: Mapping[str, str],
    locks: Iterable[Path],
    manifest: Mapping,
    files: Iterable[str | Path],
) -> dict:
    """What decides a study's numbers, the same for every run of it.

    `code`: the fingerprints of the rules' code. `locks`: the files of locked requirements. `manifest`: the data set's.
    `files`: what the record holds the SHA-256 of.
    """
    dataset = configuration["datasets"][configuration["dataset"]]
    source = source_of(dataset, configuration["dataset"])
    return {
        "study": configuration["study"],
        "dataset": configuration["dataset"],
        "seeds": {
            "replicates": configuration["seeds"],
            "split": None if configuration["split"]["kind"] == "official" else configuration["split"]["seed"],
            "scenes": source.seed,
        },
        "data": {
            "archives_md5": {archive["name"]: archive["md5"] for archive in source.archives},
            **{key: value for key, value in manifest.items() if key != "settings"},
        },
        "files_sha256": {str(file): sha256(file) for file in files},
        "code": dict(code),
        "versions": {"python": versions()["python"], **_packages(locks)},
        "configuration": configuration,
    }


def _packages(locks: Iterable[Path]) -> dict:
    """The installed versions of the locked packages, and the pins that are not kept."""
    lines = [line.rstrip(" \\") for lock in locks for line in lock.read_text(encoding="utf-8").splitlines()]
    pins = [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    # Several versions of a package may be locked, each for other versions of Python.
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    found = {pin.name: version for pin in sorted(pins, key=str) if (version := installed(pin.name))}
    differing = {
        pin.name: {"locked": str(pin.specifier), "installed": found[pin.name]}
        for pin in pins
        if pin.name in found and not pin.specifier.contains(found[pin.name].partition("+")[0])
    }
    return {"packages": found, "not_as_locked": differing}


def run(tree: Path, device: str, logs: Mapping[str, Iterable[str]], timings: Mapping[str, Iterable[str]]) -> dict:
    """What one run was like: when it ended, the tree's commit, and every rule's jobs, hours, machines and devices.

    `device`: what the configuration says. `logs` and `timings`: the files of every rule's jobs. Hours are a
    job's own, summed over the jobs; they come from the timings where a rule has them, and otherwise from the logs. A
    log that is gone counts as no job.
    """
    return {
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": commit(tree),
        "machine": machine(),
        "device": device,
        "rules": {rule: _stage(paths, timings.get(rule)) for rule, paths in logs.items()},
    }


def _stage(logs: Iterable[str], timings: Iterable[str] | None) -> dict:
    """Jobs, hours and machines of one rule, and the devices where its jobs choose one."""
    texts = [Path(log).read_text(encoding="utf-8") for log in logs if Path(log).is_file()]
    if timings is None:
        seconds = sum(float(found[-1]) for text in texts if (found := _FINISHED.findall(text)))
    else:
        seconds = sum(read_csv(timing)["seconds"].sum() for timing in timings)
    machines, devices = (
        dict(sorted(Counter(found[0] for text in texts if (found := said.findall(text))).items()))
        for said in (_ON, _COMPUTES_ON)
    )
    stage = {"jobs": len(texts), "hours": round(seconds / 3600, 6), "on": machines}
    return stage | ({"devices": devices} if devices else {})


def commit(tree: Path) -> dict | None:
    """The commit that a tree is at, and whether nothing in it was changed since; None if it is no Git repository."""
    git = shutil.which("git")
    if git is None or not (tree / ".git").exists():
        return None
    said = [
        subprocess.run([git, "-C", str(tree), *arguments], capture_output=True, text=True)
        for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain"])
    ]
    if any(each.returncode for each in said):
        return None
    return {"commit": said[0].stdout.strip(), "clean": not said[1].stdout.strip()}
