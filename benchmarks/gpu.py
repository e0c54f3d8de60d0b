"""The study on a GPU: whether it computes right there, how fast, and the hours of the paper's study that follow.

    PYTHONPATH=workflow/scripts python benchmarks/gpu.py
    PYTHONPATH=workflow/scripts python benchmarks/gpu.py --device cpu --frames 26 --width-scale 0.1 --networks vgg11

One GPU, at most eight minutes: nothing is begun after `--minutes`, and what is left out is said. The second line only
shows that it runs, and writes nothing into the page. The clips are noise, the settings the paper's. The plain way is
that of `benchmarks/training.py`, on the GPU with batches that a DataLoader brings.
"""

import argparse
import logging
import math
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from multiprocessing import get_context

import torch
import yaml
from measuring import ROOT, machine, rounded, table, write_section
from training import BANDS, CLASSES, LAMBDA, Clips, made, paper, plain, subsets, untrained

from channel_sparsity.configuration import recipe_of
from channel_sparsity.naming import family
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.planning.costs import Speed
from channel_sparsity.planning.estimate import Pace, clips_of, rows_of
from channel_sparsity.planning.speed import measure, start_s
from channel_sparsity.pruning import padding
from channel_sparsity.pruning.curve import Plan, plan_of, trace
from channel_sparsity.training.augmentation import Augmentation
from channel_sparsity.training.device import device_name, device_of
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings
from channel_sparsity.training.state import State

PRECISIONS = ("float32", "bfloat16")
CURVES = ("vgg16", "resnet20", "mobilenet0.25", "mobilenet1.00")  # of which some steps are traced
ROUNDINGS = {"quarters": ("cuda", "cpu"), "multiples of 8": ()}  # `padding.IN_QUARTERS`
USED = "quarters"
BATCHES, CURVE_STEPS, CURVE_EPOCHS = 5, 5, 3
PARTS = ("works", "steps", "curves", "hours", "compiled")
CLIPS_OF_TAU = 14400


@dataclass(frozen=True)
class Bench:
    """What is measured on: a kind of device, clips of so many frames, and networks of which width."""

    device: str
    frames: int
    width_scale: float

    def network(self, name: str, device: str | None = None) -> Network:
        """A network of the benchmark, on a device."""
        return untrained(name, self.width_scale).to(device_of(device or self.device), memory_format=torch.channels_last)

    def clips(self, batches: int, device: str | None = None) -> tuple[Subset, Subset]:
        """Training clips in so many full batches and a smaller one, and validation clips."""
        return subsets(self.frames, batches * paper().batch_size + 7, 200, device_of(device or self.device))

    def train(
        self,
        name: str,
        settings: TrainingSettings,
        device: str | None = None,
        state: State | None = None,
        most: int = 99,
    ) -> tuple[Network, float]:
        """A network after `most` epochs of a training at most, and the loss of the last."""
        network = self.network(name, device)
        train, _ = self.clips(BATCHES, device)
        told = {"seed": 1, "purpose": ("same",), "state": state}
        rows = list(islice(fit(network, train, settings, Penalty("subgradient", LAMBDA), **told), most))
        return network, rows[-1].loss_train

    def plan(self, name: str, precision: str, train: Subset) -> Plan:
        """The paper's curve of a network, by Slimming, with less fine-tuning."""
        config = configuration(precision)
        recipe = recipe_of(config, "slimming")
        recipe["finetuning"] |= {"epochs": CURVE_EPOCHS, "learning_rate": 0.001}
        return plan_of(recipe, config["training"], lam=LAMBDA, name=name, seed=1, train=train)


def configuration(precision: str) -> dict:
    """config.yaml, in a precision."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return config | {"training": config["training"] | {"precision": precision}}


def same(one: Network, other: Network) -> str:
    """Whether two networks are the same, bit for bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return "yes" if all(torch.equal(a, b) for a, b in pairs) else "NO"


def works(bench: Bench, name: str, precision: str) -> list[str]:
    """A row on whether a network computes the same twice, after a resume, along a curve, and beside a CPU."""
    settings = replace(paper(), epochs=3, learning_rate=0.01, precision=precision)
    whole, again = (bench.train(name, settings)[0] for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        bench.train(name, settings, state=State(folder, {}, 0), most=2)
        resumed, _ = bench.train(name, settings, state=State(folder, {}, 0))
    train, validation = bench.clips(BATCHES)
    plan = bench.plan(name, precision, train)
    ends = [list(islice(trace(bench.network(name), plan, validation), 3))[-1].network for _ in range(2)]
    # Masks are drawn by the device's own generator.
    unmasked = replace(settings, epochs=1, augmentation=Augmentation(0.4, 0, 0.0))
    (here, loss), (there, cpu_loss) = (bench.train(name, unmasked, device) for device in (None, "cpu"))
    pairs = zip(gammas_of(here).values(), gammas_of(there).values(), strict=True)
    apart = max((a.cpu() - b).abs().max().item() for a, b in pairs)
    beside = [rounded(loss, 5), rounded(cpu_loss, 5), rounded(apart, 2)]
    return [name, precision, same(whole, again), same(whole, resumed), same(*ends), *beside]


def plain_ms(bench: Bench, name: str) -> float:
    """Milliseconds of a step in the plain way, in single precision."""
    network = build(name, CLASSES, bench.width_scale).to(device_of(bench.device))
    epochs = plain(network, Clips(*made(bench.frames, BATCHES * paper().batch_size), paper()))
    next(epochs)
    return 1000 * seconds(lambda: next(epochs), bench) / BATCHES


def compiled_row(bench: Bench, name: str, precision: str) -> list[str]:
    """A row on milliseconds of a step by compiled code, and seconds of the first epoch, which makes the code."""
    settings = replace(paper(), precision=precision, compile=True)
    train, _ = subsets(bench.frames, 4 * BATCHES * settings.batch_size, 1, device_of(bench.device))
    penalty = Penalty("subgradient", LAMBDA)
    epochs = fit(bench.network(name), train, settings, penalty, seed=1, purpose=("compiled",))
    first = seconds(lambda: next(epochs), bench)
    each = 1000 * seconds(lambda: next(epochs), bench) / (4 * BATCHES)
    return [name, precision, rounded(each), rounded(first)]


def seconds(work: Callable[[], object], bench: Bench) -> float:
    """Wall seconds until the device has done the work."""
    started = time.perf_counter()
    work()
    if bench.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def curve_step_s(bench: Bench, name: str, rounding: str) -> tuple[float, float]:
    """Seconds of a step of a curve, on average, beside its updates; and milliseconds of an update."""
    padding.IN_QUARTERS = ROUNDINGS[rounding]
    ends: list[float] = []  # of epochs of fine-tuning, at which the loss is fetched from the device
    logger, handler = logging.getLogger("channel_sparsity.pruning.curve"), logging.Handler()
    handler.emit = lambda record: ends.append(record.created) if record.msg.startswith("fine-tuning") else None
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    train, validation = bench.clips(BATCHES)
    steps = trace(bench.network(name), bench.plan(name, "float32", train), validation)
    taken = [step.seconds for step in islice(steps, 1 + CURVE_STEPS)][1:]
    last = [ends[CURVE_EPOCHS * (step + 1) - 1] - ends[CURVE_EPOCHS * (step + 1) - 2] for step in range(CURVE_STEPS)]
    beside = [whole - CURVE_EPOCHS * epoch for whole, epoch in zip(taken, last, strict=True)]
    return sum(beside) / CURVE_STEPS, 1000 * sum(last) / CURVE_STEPS / (BATCHES + 1)


def job_start(bench: Bench, began: float) -> tuple[float, float]:
    """Seconds from when a process was asked for (`began`) to its first line, and to the end of some updates."""
    loaded = time.time() - began
    start_s(configuration("float32")["training"], device_of(bench.device))
    return loaded, time.time() - began


def alone(function: Callable, *arguments: object) -> object:
    """What a function returns in a process of its own, which has planned nothing yet."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def hours(speeds: Mapping[str, Speed], precision: str, start: float) -> list[str]:
    """A row on the hours of the paper's study: 72 trainings, the 144 curves of its two methods, and all curves."""
    clips, pace = clips_of(CLIPS_OF_TAU, {"kind": "official"}), Pace(speeds, start, 0.0)
    stages = {stage: 0.0 for stage in ("training", "curves, slimming", "curves, ista", "curves")}
    for row in rows_of(configuration(precision), pace, clips):
        for stage in stages:
            stages[stage] += row.hours * (row.stage == stage or (stage == "curves" and row.stage.startswith(stage)))
    training, slimming, ista, every = stages.values()
    both = slimming + ista
    return [precision, *map(rounded, (training, both, training + both, training + every))]


class Report:
    """Tables of what was measured before the time was up; each row is printed as it is measured."""

    def __init__(self, minutes: float):
        self._deadline = time.monotonic() + 60 * minutes
        self.paragraphs: list[str] = []
        self.left_out: list[str] = []

    def add(self, title: str, header: list[str], rows: Mapping[tuple[str, ...], Callable[[], list[str]]]) -> None:
        """A table with the row of each name, as long as there is time."""
        print(f"{title}\n{' | '.join(header)}", flush=True)
        measured = []
        for name, row in rows.items():
            if time.monotonic() > self._deadline:
                self.left_out.append(f"{' '.join(name)}, {header[-1]} (no time)")
                continue
            try:
                measured.append(row())
            except Exception:  # one row that fails is no reason to lose the others
                traceback.print_exc()
                self.left_out.append(f"{' '.join(name)}, {header[-1]} (failed)")
            else:
                print(" | ".join(measured[-1]), flush=True)
        if measured:
            self.paragraphs += [title, table(header, measured)]


class Measurements:
    """The tables of the report, in the order of their weight; the later ones need what the earlier ones measured."""

    def __init__(self, bench: Bench, report: Report, networks: list[str]):
        self.bench, self.report, self.networks = bench, report, networks
        self.families = list({family(name): name for name in reversed(networks)}.values())
        self.start_s = math.nan
        self.speeds: dict[str, dict[str, Speed]] = {precision: {} for precision in PRECISIONS}
        self.beside: dict[str, float] = {}  # by family

    def works(self) -> None:
        """Whether all is right."""
        self.report.add(
            "Whether bits are the same: twice, after a stop, at the end of a curve. The loss beside that of the CPU, "
            "and the largest difference of a gamma, after one epoch.",
            ["network", "precision", "twice", "resumed", "curve", "loss", "CPU's", "gammas"],
            {(name, p): partial(works, self.bench, name, p) for name in self.families for p in PRECISIONS},
        )

    def steps(self) -> None:
        """A job's start, and the updates."""
        self.report.add("A job's start, seconds.", ["device", "libraries", "some updates"], {("start",): self._start})
        header = ["network", *PRECISIONS, "plain"]
        self.report.add("Milliseconds a step.", header, {(name,): partial(self._step, name) for name in self.networks})

    def _start(self) -> list[str]:
        loaded, self.start_s = alone(job_start, self.bench, time.time())
        return [self.bench.device, rounded(loaded), rounded(self.start_s)]

    def _step(self, name: str) -> list[str]:
        shape = {"width_scale": self.bench.width_scale, "stem_stride": 1}
        told = (name, shape, CLASSES, BANDS, self.bench.frames)
        for precision, found in self.speeds.items():
            found[name] = measure(*told, configuration(precision)["training"], device_of(self.bench.device))
        ms = [1000 * paper().batch_size * found[name].train_s[0] for found in self.speeds.values()]
        return [name, *map(rounded, ms), rounded(plain_ms(self.bench, name))]

    def curves(self) -> None:
        """The steps of curves."""
        self.report.add(
            f"A step of a curve: seconds beside its updates, ms an update. Means of {CURVE_STEPS} steps, `float32`.",
            ["network", "widths", "s beside", "ms an update"],
            {(n, r): partial(self._curve, n, r) for n in CURVES if n in self.networks for r in ROUNDINGS},
        )

    def _curve(self, name: str, rounding: str) -> list[str]:
        cost, update = alone(curve_step_s, self.bench, name, rounding)
        if rounding == USED:
            self.beside[family(name)] = max(cost, self.beside.get(family(name), 0.0))
        return [name, rounding, rounded(cost), rounded(update)]

    def hours(self) -> None:
        """What the study takes, if all that it needs was measured."""
        measured = [p for p in PRECISIONS if set(configuration(p)["networks"]) <= set(self.speeds[p])]
        self.report.add(
            "Hours of the paper's study on this GPU, one job after the other, by `planning/costs.py`. A step "
            "of a curve takes what the slower one of its family took above.",
            ["precision", "72 trainings", "144 curves", "both", "with all curves of config.yaml"],
            {(p, "hours"): partial(self._hours, p) for p in measured if math.isfinite(self.start_s)},
        )

    def _hours(self, precision: str) -> list[str]:
        known = self.speeds[precision].items()
        speeds = {name: replace(speed, shape_s=self.beside.get(family(name), speed.shape_s)) for name, speed in known}
        return hours(speeds, precision, self.start_s)

    def compiled(self) -> None:
        """Compiled code."""
        self.report.add(
            "Compiled: milliseconds a step, and seconds of the first epoch of 20 steps.",
            ["network", "precision", "ms a step", "first epoch"],
            {(n, p): partial(compiled_row, self.bench, n, p) for n in self.families for p in PRECISIONS},
        )


def main() -> None:
    """Measure, most important first, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--frames", type=int, default=401)
    parser.add_argument("--width-scale", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=7.0, help="after which nothing is begun")
    parser.add_argument("--networks", nargs="+", default=configuration("float32")["networks"])
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    options = parser.parse_args()
    bench, report = Bench(options.device, options.frames, options.width_scale), Report(options.minutes)
    measurements = Measurements(bench, report, options.networks)
    for part in options.parts:
        getattr(measurements, part)()
    if report.left_out:
        report.paragraphs.append(f"Not measured: {'; '.join(report.left_out)}.")
    about = f"{device_name(device_of(bench.device))}; clips of {bench.frames} frames, all noise."
    if bench.device == "cpu":
        print("\n\n".join([about, *report.paragraphs]))
    else:
        write_section("On a GPU", about, *report.paragraphs, machine("torch"))


if __name__ == "__main__":
    main()
