"""A rehearsal at full size: as many clips as the paper's, in TAU's form, through a record's data stage and an epoch.

    PYTHONPATH=workflow/scripts:tests python benchmarks/rehearsal.py EMPTY_FOLDER

By hand: it takes about an hour and 25 GB in the folder, which is left with nothing in it. The record is a server
on this machine; no other address can be reached from the run.
"""

import argparse
import hashlib
import io
import mmap
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import numpy
import pandas
import psutil
import soundfile
import yaml
from measuring import ROOT, machine, rounded, table, write_section
from record_server import Conduct, RecordServer
from run_logs import jobs_of, stages_of

SCENES = ["airport", "bus", "metro", "metro_station", "park", "public_square", "shopping_mall"]
SCENES += ["street_pedestrian", "street_traffic", "tram"]
CITIES = ["barcelona", "helsinki", "lisbon", "london", "lyon", "milan", "paris", "prague", "stockholm", "vienna"]
LOCATIONS, SEGMENTS, ARCHIVES = 4, 36, 16
RATE_HZ, SECONDS = 44100, 10
TOP = "TAU-urban-acoustic-scenes-2020-mobile-development"
NETWORKS = ("vgg11", "resnet11", "mobilenet0.25")


class Clip(NamedTuple):
    """A synthetic clip's place in the data set."""

    scene: str
    city: str
    location: int
    segment: int

    @property
    def identifier(self) -> str:
        return f"{self.city}-{self.location}"

    @property
    def filename(self) -> str:
        return f"audio/{self.scene}-{self.identifier}-{self.segment}-a.wav"


def all_clips() -> list[Clip]:
    """Every clip; a location belongs to one scene, as TAU's do."""
    return [
        Clip(scene, city, place * LOCATIONS + location, location * SEGMENTS + segment)
        for place, scene in enumerate(SCENES)
        for city in CITIES
        for location in range(LOCATIONS)
        for segment in range(SEGMENTS)
    ]


def recording(clip: Clip) -> numpy.ndarray:
    """Two minutes of a location: noise that falls with frequency, as steeply as its scene and location have it."""
    generator = numpy.random.default_rng([SCENES.index(clip.scene), CITIES.index(clip.city), clip.location])
    samples = 120 * RATE_HZ
    frequency = numpy.maximum(numpy.fft.rfftfreq(samples, 1 / RATE_HZ), 20)
    slope = 0.5 + 0.05 * SCENES.index(clip.scene) + 0.1 * generator.random()
    spectrum = generator.normal(size=(len(frequency), 2)).view(complex)[:, 0] * frequency**-slope
    noise = numpy.fft.irfft(spectrum, samples)
    return noise / noise.std()


def write_archive(path: Path, clips: list[Clip]) -> Path:
    """An archive of clips, 24 bits, deflated as the record's are."""
    known: dict[str, numpy.ndarray] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for clip in clips:
            place = f"{clip.scene}-{clip.identifier}"
            if place not in known:
                known = {place: recording(clip)}
            generator = numpy.random.default_rng([SCENES.index(clip.scene), CITIES.index(clip.city), clip.segment])
            start = generator.integers(110 * RATE_HZ)
            # At 30 dB under full scale, which deflates by about a tenth, as TAU's archives do.
            waveform = known[place][start : start + SECONDS * RATE_HZ] * 0.03 * generator.uniform(0.5, 1.5)
            data = io.BytesIO()
            soundfile.write(data, numpy.clip(waveform, -1, 1), RATE_HZ, "PCM_24", format="WAV")
            archive.writestr(f"{TOP}/{clip.filename}", data.getvalue())
    return path


def write_archives(folder: Path) -> list[Path]:
    """All archives, the metadata first; clips of a location lie together, as in TAU."""
    folder.mkdir()
    clips = all_clips()
    lines = ["filename\tscene_label\tidentifier\tsource_label"]
    lines += [f"{clip.filename}\t{clip.scene}\t{clip.identifier}\ta" for clip in clips]
    meta = folder / "meta.zip"
    with zipfile.ZipFile(meta, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{TOP}/meta.csv", "\n".join(lines) + "\n")
    each = len(clips) // ARCHIVES
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        jobs = [
            pool.submit(write_archive, folder / f"audio.{n + 1}.zip", clips[n * each : (n + 1) * each])
            for n in range(ARCHIVES)
        ]
        return [meta, *(job.result() for job in jobs)]


def configuration(archives: list[Path], address: str) -> dict:
    """A study of one epoch of a network a family at lambda 0, on the record at this address."""
    if urlparse(address).hostname != "127.0.0.1":
        raise SystemExit(f"{address} is not on this machine")
    listed = []
    for path in archives:
        with open(path, "rb") as file:
            listed.append(
                {"name": path.name, "bytes": path.stat().st_size, "md5": hashlib.file_digest(file, "md5").hexdigest()}
            )
    paper = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    record = {
        "address": address,
        "licence": "Noise.",
        "archives": None,
        "keep_archives": False,
        "keep_audio": False,
        "metadata": listed[0],
        "audio": listed[1:],
    }
    block = {
        "source": "record",
        "record": record,
        "expected": paper["datasets"]["tau2020"]["expected"],
        "devices": ["a"],
        "features": paper["datasets"]["tau2020"]["features"],
    }
    return {
        "study": "rehearsal",
        "dataset": "rehearsal",
        "datasets": {"rehearsal": block},
        "networks": list(NETWORKS),
        "lambdas": {"default": ["0"]},
        "training": {"epochs": 1},
    }


class Taken(NamedTuple):
    """Seconds of a run."""

    wall: float
    cpu: float


class Watch:
    """In a `with` block: the most bytes below a folder, and the most memory of a process and of those it started."""

    def __init__(self, process: int, folder: Path):
        self.process, self.folder = psutil.Process(process), folder
        self.disk = self.memory = self.largest = self.processes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(1):
            self.disk = max(self.disk, bytes_below(self.folder))
            resident = []
            try:
                for process in [self.process, *self.process.children(recursive=True)]:
                    resident.append(process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
            self.memory, self.largest = max(self.memory, sum(resident)), max(self.largest, *resident)
            self.processes = max(self.processes, len(resident))


def bytes_below(folder: Path) -> int:
    """What the files below a folder occupy."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def run(folder: Path, configfile: Path, *targets: str, cores: int) -> tuple[pandas.DataFrame, Watch, Taken]:
    """Run Snakemake; the stages, what was watched and the seconds in all."""
    log = folder / "log.txt"
    command = [sys.executable, "-m", "snakemake", *targets, "--cores", str(cores), "--directory", str(folder)]
    # Whatever is not on this machine is out of reach: nobody listens at that port.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "no_proxy": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    began, cpu = time.perf_counter(), cpu_of_children()
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [*command, "--configfile", str(configfile)], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
        with Watch(process.pid, folder / "data") as watch:
            failed = process.wait()
    taken = Taken(time.perf_counter() - began, cpu_of_children() - cpu)
    if failed:
        raise SystemExit(f"the run failed: {log.read_text(encoding='utf-8')[-3000:]}")
    return stages_of(jobs_of(log)), watch, taken


def cpu_of_children() -> float:
    """CPU seconds of all processes that were started here and have ended, with those that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def describe_data(stages: pandas.DataFrame, watch: Watch, taken: Taken, clips: int, sent: int, kept: int) -> str:
    """The data stage in words and a table."""
    rows = [
        [f"`{stage.rule}`", stage.jobs, rounded(stage.seconds), rounded(stage.seconds / stage.jobs)]
        for stage in stages.itertuples()
    ]
    extraction = stages.loc[stages["rule"] == "extract_archive", "seconds"].sum()
    return "\n\n".join(
        [
            f"{clips:,} clips of {SECONDS} s (noise, 44.1 kHz, 24 bits) in {ARCHIVES} archives of {sent / 1e9:.1f} GB, "
            f"served by the same machine. The targets `dataset` and `features` took **{taken.wall / 60:.1f} minutes** "
            f"of wall time on {os.cpu_count()} cores, and {taken.cpu / 60:.1f} minutes of CPU time. These are "
            f"{clips / taken.wall:.0f} clips a second, and {clips / extraction:.0f} while archives are read. The peak "
            f"of `data/` was {watch.disk / 1e9:.2f} GB, and {kept / 1e9:.2f} GB stayed. The peak memory was "
            f"{watch.memory / 2**20:,.0f} MiB in all (resident sizes of at most {watch.processes} processes, "
            f"Snakemake's included) and {watch.largest / 2**20:,.0f} MiB in the largest process.",
            table(["stage", "jobs", "s of wall time, all jobs", "s a job"], rows),
        ]
    )


def describe_epochs(folder: Path, configfile: Path) -> str:
    """An epoch of each network, one after the other."""
    rows = []
    for network in NETWORKS:
        place = f"results/rehearsal/train/{network}/lambda-0/seed-1"
        _, watch, taken = run(folder, configfile, f"{place}/metrics.json", cores=1)
        timing = pandas.read_csv(folder / place / "timing.csv")["seconds"].sum()
        history = pandas.read_csv(folder / place / "history.csv")
        memory, loss = f"{watch.largest / 2**20:,.0f}", rounded(history["loss_train"].iloc[-1])
        rows.append([network, rounded(timing), rounded(taken.cpu), memory, loss])
        print(rows[-1], flush=True)
    return table(
        [
            "one epoch, one thread",
            "s of wall time",
            "s of CPU time, Snakemake's included",
            "peak memory, MiB",
            "training loss",
        ],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty")
    try:
        began = time.perf_counter()
        archives = write_archives(folder / "archives")
        print(f"archives made in {time.perf_counter() - began:.0f} s", flush=True)
        work, configfile = folder / "work", folder / "config.yaml"
        work.mkdir()
        opened = {path.name: mmap.mmap(os.open(path, os.O_RDONLY), 0, access=mmap.ACCESS_READ) for path in archives}
        with RecordServer(opened) as server:
            for name in opened:
                server.plan(name, afterwards=Conduct(contents=memoryview))
            configfile.write_text(yaml.safe_dump(configuration(archives, server.address)), encoding="utf-8")
            stages, watch, taken = run(work, configfile, "dataset", "features", cores=os.cpu_count())
            sent = sum(len(content) for content in opened.values())
        data = describe_data(stages, watch, taken, len(all_clips()), sent, bytes_below(work / "data"))
        print(data, flush=True)
        epochs = describe_epochs(work, configfile)
        write_section(
            "A rehearsal at full size",
            data,
            "Then one epoch of the smallest network of each family on these clips, with validation, as in "
            "`train_network`. CPU time includes Snakemake's.",
            epochs,
            machine("torch", "numpy", "snakemake"),
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
