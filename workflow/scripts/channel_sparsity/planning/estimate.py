"""How long a study takes and what it occupies: a row for each network and stage, and the sum."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import NamedTuple

from channel_sparsity.configuration import curves_of, lambdas_of, recipe_of
from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.data.sources import Costs, source_of
from channel_sparsity.planning.costs import Clips, Speed, Work, curve_work, rates_of, training_work
from channel_sparsity.words import count as count_of

PAGES_S = 30.0  # of one core for all tables and figures
PAIRS = ("train_s", "predict_s")
BLOCK = 4096  # bytes that the smallest file occupies
SMALL_FILES = 8  # of a training or a curve, beside what is counted: logs, JSON, short tables
PAGES_BYTES = 5_000_000
TABLE_BYTES = 300  # a clip's lines in all tables of data/


@dataclass(frozen=True)
class Pace:
    """The speed of a machine: `speeds` of the networks, `start_s` of a job, `decoding_s` of a clip's features.

    `device`: ``cpu``, or the name of the GPU that the networks were timed on.
    """

    speeds: Mapping[str, Speed]
    start_s: float
    decoding_s: float
    device: str = "cpu"


def average(paces: Sequence[Pace]) -> Pace:
    """The mean of what several processes measured at the same time."""

    def speed(name: str) -> Speed:
        some = [pace.speeds[name] for pace in paces]
        pairs = {key: tuple(map(fmean, zip(*(getattr(each, key) for each in some), strict=True))) for key in PAIRS}
        shapes = {key: fmean(getattr(each, key) for each in some) for key in ("shape_s", "predict_shape_s")}
        return replace(some[0], **shapes, **pairs)

    return Pace(
        {name: speed(name) for name in paces[0].speeds},
        fmean(pace.start_s for pace in paces),
        fmean(pace.decoding_s for pace in paces),
        paces[0].device,
    )


class Row(NamedTuple):
    """A stage of a network (or of the data, or of the tables): hours of a core or GPU, and bytes left, of all jobs.

    `host_hours`: those of the hours in which a GPU has nothing to compute (`Work.host_s`).
    """

    network: str
    stage: str
    jobs: int
    hours_a_job: float
    hours: float
    macs: float
    bytes: int
    host_hours: float = 0.0


def rows_of(config: Mapping, pace: Pace, clips: Clips) -> list[Row]:
    """The whole study, in the order of its stages."""
    return [
        _data(config, pace, sum(clips)),
        *_trainings(config, pace, clips),
        *_curves(config, pace, clips),
        _row("", "tables and figures", 1, PAGES_S, 0.0, PAGES_BYTES),
    ]


def _row(network: str, stage: str, jobs: int, seconds: float, macs: float, size: float, host_s: float = 0.0) -> Row:
    hours, host_hours = seconds / 3600, jobs * host_s / 3600
    return Row(network, stage, jobs, hours, jobs * hours, jobs * macs, round(jobs * size), host_hours)


def _job(network: str, stage: str, jobs: int, work: Work, start_s: float, size: float) -> Row:
    """Trainings or curves, each with the short job that follows it (WS, or PK)."""
    after = start_s / 2
    return _row(network, stage, jobs, work.seconds + after, work.macs, size, work.host_s + after)


def _data(config: Mapping, pace: Pace, clips: int) -> Row:
    block = config["datasets"][config["dataset"]]
    seconds = clips * pace.decoding_s + _costs(block, clips).making_s
    return _row("", "data", 1, seconds, 0.0, sum(data_bytes(block, clips).values()))


def _trainings(config: Mapping, pace: Pace, clips: Clips) -> Iterator[Row]:
    for network in config["networks"]:
        speed = pace.speeds[network]
        cells = len(lambdas_of(config, network)) * len(config["seeds"])
        work = training_work(speed, config["training"], clips, pace.start_s)
        # Weights, the statistics of the normalisations, a line a channel and a line an epoch; and WS, a job of its own.
        size = 4 * speed.parameters[0] + 60 * speed.channels + 100 * config["training"]["epochs"]
        size += BLOCK * SMALL_FILES
        yield _job(network, "training", cells, work, pace.start_s, size)


def _curves(config: Mapping, pace: Pace, clips: Clips) -> Iterator[Row]:
    for curve, network in curves_of(config):
        name = curve.recipe
        speed, recipe = pace.speeds[network], recipe_of(config, name)
        cells = len(lambdas_of(config, network)) * len(config["seeds"])
        work = curve_work(speed, recipe, clips, pace.start_s)
        rates = rates_of(recipe)
        steps = len(rates) + 1
        # Class and log-probability of each clip at each step, label and row; a line a layer at each step; and PK.
        size = clips.validation * (6 * steps + 10) + 25 * speed.layers * steps + BLOCK * SMALL_FILES
        if recipe["keep_steps"]:
            size += 4 * sum(map(speed.parameters_at, [0.0, *rates]))
        yield _job(network, f"curves, {name}", cells, work, pace.start_s, size)


def data_bytes(block: Mapping, clips: int) -> dict[str, int]:
    """Bytes that stay of each part of a data set's folder."""
    return {"logmel.h5": _features_bytes(block, clips), "tables": clips * TABLE_BYTES, **_costs(block, clips).kept}


def passing_bytes(block: Mapping, clips: int) -> int:
    """Bytes that are needed besides, for a while."""
    return _costs(block, clips).passing


def _costs(block: Mapping, clips: int) -> Costs:
    """What the source takes, beside features."""
    features = block["features"]
    audio_bytes = clips * logmel_of(features).samples * 3  # 24 bits, one channel
    return source_of(block).costs(clips * features["duration_s"], audio_bytes, _features_bytes(block, clips))


def _features_bytes(block: Mapping, clips: int) -> int:
    logmel = logmel_of(block["features"])
    return 4 * clips * logmel.n_mels * logmel.frames


def wall_hours(rows: list[Row], cores: int, threads: int, sharing: int = 0) -> float:
    """Hours on so many cores: all the work shared out, or the longest chain of jobs, whichever is longer.

    The data come first and use all cores; then each job of a network has `threads`, or `sharing` jobs have the GPU. It
    computes no faster for several, but while one starts or plans, others compute.
    """
    data = sum(row.hours for row in rows if row.stage == "data") / cores
    jobs = max(1, cores // threads)
    later = [row for row in rows if row.stage != "data"]
    if sharing:
        threads, jobs = 1, min(jobs, sharing)
    rest = sum(row.hours for row in later) / threads / jobs
    if sharing:
        rest = max(rest, sum(row.hours - row.host_hours for row in later))
    chains = [
        one.hours_a_job + max((row.hours_a_job for row in rows if row.network == one.network and row != one), default=0)
        for one in rows
        if one.stage == "training"
    ]
    return data + max(rest, max(chains, default=0) / threads)


def summary(config: Mapping, pace: Pace, clips: Clips, rows: list[Row], cores: int, sharing: int = 1) -> dict:
    """What estimate.json holds, where `sharing` jobs may have a GPU at once."""
    block, threads = config["datasets"][config["dataset"]], config["training"]["threads"]
    sizes = {
        f"data/{config['dataset']}": data_bytes(block, sum(clips)),
        f"results/{config['study']}": {
            "train": sum(row.bytes for row in rows if row.stage == "training"),
            "prune": sum(row.bytes for row in rows if row.stage.startswith("curves")),
            "tables and figures": PAGES_BYTES,
        },
    }
    return {
        "clips_train": clips.train,
        "clips_validation": clips.validation,
        "core_hours": sum(row.hours for row in rows),
        "cores": cores,
        "wall_hours": wall_hours(rows, cores, threads, sharing if pace.device != "cpu" else 0),
        "longest_job_hours": max(row.hours_a_job for row in rows if row.stage != "data"),
        "macs": sum(row.macs for row in rows),
        "device": pace.device,
        "sharing": sharing,
        "download_bytes": _costs(block, sum(clips)).download,
        "bytes": sizes,
        "passing_bytes": passing_bytes(block, sum(clips)),
        "start_s": pace.start_s,
        "decoding_s": pace.decoding_s,
        "speeds": {name: asdict(speed) for name, speed in pace.speeds.items()},
    }


def lines(estimate: Mapping, rows: list[Row]) -> Iterator[str]:
    """What the terminal says."""
    on_gpu = estimate["device"] != "cpu"
    core, worker = "one core", "one GPU" if on_gpu else "one core"
    shared = f"{count_of(estimate['sharing'], 'job')} at a time"
    stages = {"data": core, "training": worker, "curves": worker, "tables and figures": core}
    for name, by in stages.items():
        some = [row for row in rows if row.stage.startswith(name)]
        if some:
            jobs, hours = sum(row.jobs for row in some), sum(row.hours for row in some)
            yield f"{name}: {jobs} job{'s' * (jobs > 1)}, {duration(hours)} of {by}"
    yield (
        f"in all: {duration(estimate['core_hours'])} of {core}{' or the GPU' * on_gpu}, "
        f"{duration(estimate['wall_hours'])} on {estimate['cores']} cores{f' and the GPU, {shared}' * on_gpu} "
        f"(the longest job {duration(estimate['longest_job_hours'])}); "
        f"{estimate['macs'] / 1e15:.3g} x 10^15 multiply-accumulates"
    )
    if on_gpu:
        yield f"measured on this machine: {estimate['device']} for networks, cores for the rest"
    else:
        yield "measured on the cores of this machine; a GPU is measured where a job finds one (docs/how-to/gpu.md)"
    for folder, parts in estimate["bytes"].items():
        listed = ", ".join(f"{part} {size_of(size)}" for part, size in parts.items())
        yield f"{folder}: {size_of(sum(parts.values()))} ({listed})"
    if estimate["passing_bytes"]:
        yield f"for a while besides: {size_of(estimate['passing_bytes'])} of archives, or of features not merged yet"
    if estimate["download_bytes"]:
        yield f"to download: {size_of(estimate['download_bytes'])}, whose time is not estimated"


def duration(hours: float) -> str:
    """Hours as people say them."""
    if hours < 1.5 / 60:
        return f"{3600 * hours:.0f} s"
    if hours < 2:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


def size_of(count: float) -> str:
    """Bytes as people say them."""
    unit = min(3, int(math.log10(max(1, count))) // 3)
    return f"{count / 1000**unit:.3g} {('B', 'kB', 'MB', 'GB')[unit]}"


def clips_of(count: int, split: Mapping) -> Clips:
    """How many of `count` clips train: what `split` says, or 70 % where a list says it (TAU's does)."""
    train = round(count * (split["train_share"] if split["kind"] != "official" else 0.7))
    return Clips(train, count - train)
