"""What a data set is made of, and what in it deserves a look before hours are spent on it."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas

FEW_CLIPS = 20  # of a scene: with 70 % for training, six are left to tell a right guess from a wrong one
FEW_LOCATIONS = 3  # of a scene: a split by location leaves one side with one of them or none
UNEVEN = 2  # times as many clips of one scene as of another
CLIPPED_RUN = 3  # samples in a row at full scale
QUIET_PEAK = 0.001  # -60 dB of full scale
TOLERANCE = 0.01  # of the length: what rounding does to lengths is nothing to look at
HALF = 0.5  # of a clip's frames
APART = 0.1  # of the clips: that much more of one scene's than of all others' are recorded in some way
ERRORS = 3  # standard errors that this is more than, too
QUARTERS = (0.25, 0.5, 0.75, 1.0)
SHOWN = 3


def describe(clips: pandas.DataFrame, findings: pandas.DataFrame, duration_s: float) -> dict:
    """What was found, as it stands in report.json.

    `clips` and `findings` are the tables of the same clips, `duration_s` is the length that clips are padded or cut to.
    """
    found = clips.merge(findings, on="filename", validate="one_to_one")
    # Clips that cannot be told from silence are all alike, which is said of them already.
    twins = found[(found["blank_share"] < 1) & found["content"].duplicated(keep=False)]
    duplicates = [_duplicate(group) for _, group in twins.groupby("content", sort=False)]
    return {
        "clips": len(found),
        "hours": round(found["duration_s"].sum() / 3600, 3),
        "duration_s": duration_s,
        "scenes": {scene: _scene(group) for scene, group in found.groupby("scene")},
        # Only names like TAU's surely have a city: what an identifier begins with may be a fold.
        "cities": int(found.loc[found["segment"] != "", "city"].nunique()),
        "locations": int(found["identifier"].nunique()),
        "devices": _counts(found["device"]),
        "sample_rates_hz": _counts(found["sample_rate_hz"]),
        "channels": _counts(found["channels"]),
        "encodings": _counts(found["encoding"]),
        "telling": {key: _telling(found["scene"], kinds) for key, kinds in _kinds(found, duration_s).items()},
        "lengths_s": {name: round(float(found["duration_s"].quantile(at)), 3) for name, at in _QUANTILES.items()},
        "peak": {name: round(float(found["peak"].quantile(at)), 6) for name, at in _QUANTILES.items()},
        **{done: int((found["adjustment"] == done).sum()) for done in ("padded", "cut")},
        "short": _these(found, found["duration_s"] < (1 - TOLERANCE) * duration_s),
        "long": _these(found, found["duration_s"] > (1 + TOLERANCE) * duration_s),
        "silent": _these(found, found["silent"]),
        "cancelled": _these(found, found["cancelled"]),
        "quiet": _these(found, (found["peak"] < QUIET_PEAK) & ~found["silent"]),
        "clipped": _these(found, found["full_scale_run"] >= CLIPPED_RUN),
        "mostly_blank": _these(found, (found["blank_share"] > HALF) & ~found["silent"] & ~found["cancelled"]),
        "duplicates": sorted(duplicates, key=lambda each: (not each["scenes_differ"], not each["locations_differ"])),
    }


_QUANTILES = {"least": 0.0, "median": 0.5, "most": 1.0}


def _scene(group: pandas.DataFrame) -> dict:
    return {
        "clips": len(group),
        "locations": int(group["identifier"].nunique()),
        "sample_rates_hz": _counts(group["sample_rate_hz"]),
        "channels": _counts(group["channels"]),
    }


def _kinds(found: pandas.DataFrame, duration_s: float) -> dict[str, pandas.Series]:
    """How each clip was recorded, in the ways that a network may hear: in words, by the name of each way."""
    edges = [(1 - TOLERANCE) * quarter * duration_s for quarter in QUARTERS]
    lengths = [f"under {quarter * duration_s:g} s" for quarter in QUARTERS] + [f"{duration_s:g} s or more"]
    return {
        "sample rates": found["sample_rate_hz"].map("{} Hz".format),
        "numbers of channels": found["channels"].map("{} channel(s)".format),
        "encodings": found["encoding"],
        "lengths": pandas.Series(np.digitize(found["duration_s"], edges), found.index).map(lengths.__getitem__),
    }


def _telling(scenes: pandas.Series, kinds: pandas.Series) -> list[dict]:
    """Which kinds are more frequent in one scene than in all others, by `APART` and by `ERRORS`; the most first."""
    counts = pandas.crosstab(scenes, kinds)
    inside, every = counts.sum(axis=1).to_numpy()[:, None], counts.sum().to_numpy()
    outside = inside.sum() - inside
    share, elsewhere, overall = counts / inside, (every - counts) / outside, every / inside.sum()
    error = np.sqrt(overall * (1 - overall) * (1 / inside + 1 / outside))
    telling = (share - elsewhere > np.maximum(APART, ERRORS * error)).stack()
    found = [
        {"kind": kind, "scene": scene, "share": float(share[kind][scene]), "elsewhere": float(elsewhere[kind][scene])}
        for scene, kind in telling[telling].index
    ]
    return sorted(found, key=lambda each: each["elsewhere"] - each["share"])


def _counts(column: pandas.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in column.value_counts(sort=False).sort_index().items()}


def _these(found: pandas.DataFrame, which: pandas.Series) -> dict:
    some = found[which]
    return {"clips": len(some), "by_scene": _counts(some["scene"]), "names": list(some["filename"])}


def _duplicate(group: pandas.DataFrame) -> dict:
    """Clips that are the same, and whether that is worse than superfluous."""
    return {
        "clips": list(group["filename"]),
        "by_scene": {scene: list(some["filename"]) for scene, some in group.groupby("scene")},
        "scenes_differ": group["scene"].nunique() > 1,
        "locations_differ": group["identifier"].nunique() > 1,
    }


def facts(report: Mapping) -> Iterator[str]:
    """What the data set is, a line each."""
    scenes = report["scenes"]
    each = sorted({scene["clips"] for scene in scenes.values()})
    lengths, peaks = report["lengths_s"], report["peak"]
    yield (
        f"{report['clips']:,} clips, {report['hours']:.1f} hours: {len(scenes)} scenes of {_span(each)} clips, "
        f"{report['locations']:,} locations"
        + (f" in {report['cities']:,} cities" if report["cities"] else "")
        + f", devices {', '.join(report['devices'])}"
    )
    yield (
        f"{_listing(report['sample_rates_hz'], ' Hz')}; {_listing(report['channels'], ' channel(s)')}; "
        f"encoding {_listing(report['encodings'], '')}; "
        f"{lengths['least']:g} to {lengths['most']:g} s (median {lengths['median']:g}), "
        f"used as {report['duration_s']:g} s: {report['padded']} padded, {report['cut']} cut"
    )
    yield f"peaks from {_db(peaks['least'])} to {_db(peaks['most'])} of full scale (median {_db(peaks['median'])})"


def warnings(report: Mapping) -> Iterator[str]:
    """What deserves a look, a line each, wrong labels first; what cannot be said of this data set is left out."""
    scenes = report["scenes"]
    wrong = [duplicate for duplicate in report["duplicates"] if duplicate["scenes_differ"]]
    for duplicate in wrong:
        rarest = sorted(duplicate["by_scene"].items(), key=lambda each: len(each[1]))
        yield f"the same features in several scenes: {'; '.join(f'{scene}: {_few(names)}' for scene, names in rarest)}"
    if few := [name for name, scene in scenes.items() if scene["clips"] < FEW_CLIPS]:
        yield f"fewer than {FEW_CLIPS} clips: {_few(few)}"
    if few := [name for name, scene in scenes.items() if scene["locations"] < FEW_LOCATIONS]:
        yield f"fewer than {FEW_LOCATIONS} locations, too few for `split.kind: location`: {_few(few)}"
    most, least = (choose(scenes, key=lambda name: scenes[name]["clips"]) for choose in (max, min))
    if scenes[most]["clips"] > UNEVEN * scenes[least]["clips"]:
        yield (
            f"uneven scenes: {scenes[most]['clips']} clips of {most}, {scenes[least]['clips']} of {least} "
            "(accuracy counts clips, so frequent scenes weigh more)"
        )
    for way, kinds in report["telling"].items():
        if kinds:
            shares = [
                f"{kind['kind']} in {100 * kind['share']:.0f} % of {kind['scene']}, "
                f"{100 * kind['elsewhere']:.0f} % of the others"
                for kind in kinds
            ]
            yield f"{way} differ between scenes: a network may tell them by that ({_few(shares, '; ')})"
    for key, what in (
        ("short", f"shorter than {report['duration_s']:g} s and padded with zeros"),
        ("long", f"longer than {report['duration_s']:g} s and cut at the end"),
        ("silent", "silent (every sample is the same)"),
        ("cancelled", "silent when their channels are averaged, which cancel each other"),
        ("quiet", "quieter than -60 dB of full scale"),
        ("clipped", f"clipped ({CLIPPED_RUN} or more samples in a row at full scale)"),
        ("mostly_blank", "blank in more than half of their frames (at the bottom of the dynamic range, or padded)"),
    ):
        if some := report[key]["clips"]:
            yield f"{some} {what}: {_few_scenes(report[key]['by_scene'])}; first {report[key]['names'][0]}"
    for duplicate in report["duplicates"][len(wrong) :]:
        differ = duplicate["locations_differ"]
        note = ", and their locations differ: no split by location keeps them together" if differ else ""
        yield f"the same features{note}: {_few(duplicate['clips'])}"


def page(report: Mapping, dataset: str) -> str:
    """The report in Markdown, for people."""
    scenes = [f"| {name} | {scene['clips']} | {scene['locations']} |" for name, scene in report["scenes"].items()]
    noticed = [f"- {line}" for line in warnings(report)] or ["Nothing."]
    return "\n".join(
        [
            f"# The data set {dataset}",
            "",
            *(f"- {line}" for line in facts(report)),
            "",
            "## What deserves a look",
            "",
            *noticed,
            "",
            "Every clip: `findings.csv`, and the full lists in `report.json`.",
            "",
            "## Scenes",
            "",
            "| scene | clips | locations |",
            "| --- | ---: | ---: |",
            *scenes,
            "",
        ]
    )


def _span(values: list[int]) -> str:
    return f"{values[0]:,}" if len(values) == 1 else f"{values[0]:,} to {values[-1]:,}"


def _listing(counts: Mapping[str, int], unit: str) -> str:
    if len(counts) == 1:
        return f"{next(iter(counts))}{unit}"
    return ", ".join(f"{count} of {value}{unit}" for value, count in counts.items())


def _db(peak: float) -> str:
    return f"{20 * np.log10(peak):.1f} dB" if peak else "nothing"


def _few_scenes(counts: Mapping[str, int]) -> str:
    """How many of which scenes, the most first."""
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    others = sum(count for _, count in ordered[SHOWN:])
    some = [f"{count} of {scene}" for scene, count in ordered[:SHOWN]]
    return ", ".join(some + ([f"{others} of others"] if others else []))


def _few(names: list[str], separator: str = ", ") -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return separator.join(names[:SHOWN]) + more
