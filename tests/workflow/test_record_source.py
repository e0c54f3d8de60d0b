"""A record of archives becomes the store that its unpacked clips give, whatever happens on the way."""

import copy
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pandas
import pytest
import yaml
from conftest import FOLDER_FEATURES, errors
from record_server import Conduct, RecordServer

TOP = "TAU-x-development"
TRAIN_LIST = "evaluation_setup/fold1_train.csv"


def zipped(members):
    """The bytes of an archive of (name below its folder, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(f"{TOP}/{name}", data)
    return buffer.getvalue()


def entry(name, content):
    """An archive as the configuration lists it."""
    return {"name": name, "bytes": len(content), "md5": hashlib.md5(content).hexdigest()}


class Record:
    """The tiny scenes as a record: half of the clips in each of two archives, and four of a device b in the second."""

    def __init__(self, clips, folder):
        self.clips, self.folder = clips, folder
        folder.mkdir()
        meta = (clips / "meta.csv").read_text()
        names = [line.split("\t")[0] for line in meta.splitlines()[1:]]
        twins = [name.replace("-a.wav", "-b.wav") for name in names[:2] + names[-2:]]
        for line in meta.splitlines()[1:]:
            twin = line.replace("-a.wav", "-b.wav").removesuffix("a") + "b"
            meta += f"{twin}\n" if twin.split("\t")[0] in twins else ""
        self.train = [name for name in names if "barcelona" in name]
        listing = "filename\tscene_label\n" + "".join(f"{name}\t{name[6:].split('-')[0]}\n" for name in self.train)
        sounds = [(name, (clips / name.replace("-b.wav", "-a.wav")).read_bytes()) for name in [*names, *twins]]
        self.write("meta.zip", [("meta.csv", meta.encode()), (TRAIN_LIST, listing.encode())])
        self.write("audio.1.zip", sounds[: len(names) : 2])
        self.write("audio.2.zip", sounds[1 : len(names) : 2] + sounds[len(names) :])

    def write(self, name, members):
        (self.folder / name).write_bytes(zipped(members))

    def members(self, name):
        """(name below its folder, bytes) of an archive's members."""
        with zipfile.ZipFile(self.folder / name) as archive:
            return [(info.filename.removeprefix(f"{TOP}/"), archive.read(info)) for info in archive.infolist()]

    def files(self):
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def config(self, study, devices=("a",), expected=None, **changes):
        """An overlay for a study of the record, in the archives' folder unless an address is given."""
        metadata, *audio = (
            entry(*file) for file in sorted(self.files().items(), key=lambda file: file[0] != "meta.zip")
        )
        record = {
            "address": "http://127.0.0.1:9/files",
            "licence": "Free for tests.",
            "archives": str(self.folder),
            "keep_archives": False,
            "keep_audio": False,
            "metadata": metadata,
            "audio": audio,
        }
        block = {"source": "record", "record": record | changes, "devices": list(devices), "features": FOLDER_FEATURES}
        block["expected"] = expected or {}
        path = study.work.parent / "record.yaml"
        path.write_text(yaml.safe_dump({"study": "mine", "dataset": "mine", "datasets": {"mine": block}}))
        return path


@pytest.fixture(scope="session")
def record_made(finished, tmp_path_factory):
    return Record(finished.work / "data/tiny", tmp_path_factory.mktemp("record") / "archives")


@pytest.fixture
def record(record_made, tmp_path):
    """A record of the test's own, to break."""
    mine = copy.copy(record_made)
    mine.folder = shutil.copytree(record_made.folder, tmp_path / "archives")
    return mine


def left(study):
    """What lies in the data folder besides logs, checksums and Snakemake's time stamps of folders."""
    folder = study.work / "data/mine"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if not name.endswith((".log", ".sha256", "/.snakemake_timestamp"))}


MADE = {f"checksums/{name}.md5" for name in ("meta.zip", "audio.1.zip", "audio.2.zip")} | {
    "meta.csv",
    TRAIN_LIST,
    "clips.csv",
    "logmel.h5",
    "findings.csv",
    "manifest.json",
}


def is_the_store_of_the_unpacked_clips(study, finished):
    """Whether clips and features have the bytes that the folder of the same clips gives."""
    return all(
        (study.work / f"data/mine/{name}").read_bytes() == (finished.work / f"data/tiny/{name}").read_bytes()
        for name in ("clips.csv", "logmel.h5")
    )


def test_a_record_over_http_becomes_the_store_of_its_clips_and_nothing_reruns(finished, fresh, record):
    expected = {"clips": 72, "clips_per_scene": 24}
    with RecordServer(record.files()) as server:
        server.plan("audio.1.zip", Conduct(to=server.url("audio.1.zip")), Conduct(cut_after=50_000, reset=True))
        server.plan("audio.2.zip", Conduct(cut_after=50_000), Conduct(ranges=False))
        configfile = record.config(fresh, expected=expected, address=server.address, archives=None)
        official = {"split": {"kind": "official"}}
        split = "results/mine/split.csv"
        done = fresh.snakemake("features", split, configfile=configfile, changes=official)
        assert "audio.1.zip: Free for tests." in done.stdout + done.stderr
        starts = {name: server.starts(name) for name in record.files()}
        assert starts == {"audio.1.zip": [0, 0, 50_000], "audio.2.zip": [0, 50_000], "meta.zip": [0]}
    assert is_the_store_of_the_unpacked_clips(fresh, finished)
    assert left(fresh) == MADE
    subset = pandas.read_csv(fresh.work / split, index_col="filename")["subset"]
    assert set(subset.index[subset == "train"]) == set(record.train) and len(subset) == 72

    def planned(*targets, **changes):
        return fresh.planned(*targets, configfile=configfile, changes=changes)

    for path in sorted(fresh.work.rglob("*"), reverse=True):
        os.utime(path)
    for path in fresh.code.rglob("*.py"):
        os.utime(path)
    fresh.edit("workflow/scripts/channel_sparsity/training/fit.py", "import math", "import math as math")
    fresh.edit("workflow/scripts/channel_sparsity/data/sources/record/download.py", "1 << 17", "1 << 18")
    elsewhere = {"archives": "/nowhere", "address": "http://127.0.0.1:9/mirror", "keep_archives": True, "licence": "?"}
    elsewhere = {"datasets": {"mine": {"record": elsewhere, "expected": {"clips": 72}}}}
    assert planned("features", split, **official, **elsewhere) == {}
    assert planned("features", split) == {"split_clips": 1}
    fresh.edit("workflow/scripts/channel_sparsity/data/audio.py", "import soundfile", "import soundfile as soundfile")
    assert planned("features") == {"download_archive": 2, "extract_archive": 2, "merge_shards": 1}
    done = fresh.snakemake(
        "features", configfile=configfile, changes={"datasets": {"mine": {"expected": {"clips": 9}}}}, check=False
    )
    assert "data/mine has 72 clips, not 9" in done.stdout + done.stderr


def test_archives_of_the_users_own_are_checked_and_left_alone(fresh, record):
    before = record.files()
    configfile = record.config(fresh, devices=["b"], keep_audio=True, expected={"clips_per_scene": 3})
    (record.folder / "audio.1.zip").write_bytes(before["audio.1.zip"] + b"x")
    (record.folder / "audio.2.zip").unlink()
    done = fresh.snakemake("features", configfile=configfile, check=False)
    wrong, missing, few = sorted(errors(done))
    assert wrong.startswith(
        f"error: {record.folder}/audio.1.zip has other contents than the record's file: replace it by "
    )
    assert missing.startswith(f"error: {record.folder}/audio.2.zip is missing: put the archive of ")
    assert few.startswith("error: data/mine/meta.csv has 2 of bus, 2 of street_traffic, not 3 of each scene: ")
    for name, content in before.items():
        (record.folder / name).write_bytes(content)
    changes = {"datasets": {"mine": {"expected": {"clips": 4, "clips_per_scene": 2}}}}
    fresh.snakemake("features", configfile=configfile, changes=changes)
    assert record.files() == before
    clips = pandas.read_csv(fresh.work / "data/mine/clips.csv")
    assert set(clips["device"]) == {"b"} and len(clips) == 4
    assert left(fresh) == MADE | set(clips["filename"])
    for name in clips["filename"]:
        original = record.clips / name.replace("-b.wav", "-a.wav")
        assert (fresh.work / "data/mine" / name).read_bytes() == original.read_bytes()


@pytest.mark.faults
def test_kills_and_a_full_disk_cost_no_more_than_the_job_at_work(finished, fresh, record):
    for name in ("shards", "writing"):
        write = "file.write(batch.features.data)"
        slow = f'{write}\n                __import__("time").sleep(0.4)'
        indented = slow if name == "shards" else slow.replace("\n", "\n    ")
        fresh.edit(f"workflow/scripts/channel_sparsity/data/{name}.py", write, indented)
    configfile = record.config(fresh)
    command = [sys.executable, "-m", "snakemake", "features", "--cores", "2", "--directory", str(fresh.work)]
    command += ["--configfile", str(configfile)]

    def kill_when(pattern):
        """Start a run and kill all its processes as soon as such a file is being written."""
        process = subprocess.Popen(
            command, cwd=fresh.code, process_group=0, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while not list((fresh.work / "data/mine").glob(pattern)):
            assert process.poll() is None and time.monotonic() < end, f"no {pattern} was written"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        subprocess.run([*command, "--unlock"], cwd=fresh.code, check=True, capture_output=True)

    kill_when("shards/.*.npy")
    assert left(fresh) & {"shards/audio.1.zip.npy", "shards/audio.2.zip.npy", "logmel.h5"} == set()
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    full = [sys.executable, "-c", f"{limited}; from snakemake.cli import main; main()", *command[3:]]
    done = subprocess.run(full, cwd=fresh.code, capture_output=True, text=True, timeout=120)
    sentences = errors(done)
    assert sentences and all(re.search(r"\.npy cannot be written \(File too large\): make room", s) for s in sentences)
    kill_when(".logmel.*.h5")
    assert "logmel.h5" not in left(fresh)
    fresh.snakemake("features", configfile=configfile)
    assert is_the_store_of_the_unpacked_clips(fresh, finished)
    assert left(fresh) == MADE


@pytest.mark.faults
def test_what_is_wrong_with_archives_is_said_and_put_right_without_reading_the_others_again(finished, fresh, record):
    good = record.members("audio.1.zip"), record.members("audio.2.zip")
    (name, _), *others = good[1]
    record.write("audio.1.zip", [*good[0], ("../../climbed.wav", b"")])
    record.write("audio.2.zip", [(name, b"no sound"), *others])
    done = fresh.snakemake("features", configfile=record.config(fresh), check=False)
    silent, climbing = sorted(errors(done))
    assert "audio.1.zip has a member that leads out of its folder, " in climbing and "climbed.wav" in climbing
    assert f"{name} in data/mine/archives/audio.2.zip cannot be decoded (" in silent
    record.write("audio.1.zip", good[0])
    record.write("audio.2.zip", others)
    (incomplete,) = errors(fresh.snakemake("features", configfile=record.config(fresh), check=False))
    assert (
        f"1 of 72 clips are in none of the archives (1 of {name[6:].split('-')[0]} by device a; first {name}; "
        in incomplete
    )
    assert "logmel.h5" not in left(fresh)
    record.write("audio.2.zip", good[1])
    configfile = record.config(fresh)
    assert fresh.planned("features", configfile=configfile) == {
        "link_archive": 1,
        "extract_archive": 1,
        "merge_shards": 1,
    }
    fresh.snakemake("features", configfile=configfile)
    assert is_the_store_of_the_unpacked_clips(fresh, finished)
    assert not list(fresh.work.parent.rglob("climbed.wav"))


def test_unpacked_clips_have_the_official_split_too(fresh, record, tmp_path):
    for name, data in record.members("meta.zip") + record.members("audio.1.zip") + record.members("audio.2.zip"):
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder = {"source": "folder", "path": str(tmp_path / "unpacked")}
    options = {
        "configfile": record.config(fresh),
        "changes": {"datasets": {"mine": folder}, "split": {"kind": "official"}},
    }
    fresh.snakemake("results/mine/split.csv", **options)
    subset = pandas.read_csv(fresh.work / "results/mine/split.csv", index_col="filename")["subset"]
    assert set(subset.index[subset == "train"]) == set(record.train)
    listing = tmp_path / "unpacked" / TRAIN_LIST
    names = listing.read_text()
    listing.write_text(names.replace(record.train[0], record.train[1]))
    os.utime(listing, (1, 1))
    said = fresh.snakemake("checkpoints", check=False, **options).stderr
    assert f"{TRAIN_LIST} is another list than results/mine/split.csv was made by: put that one back" in said
    listing.write_text(names)
    os.utime(listing, (1, 1))
    for path in (tmp_path / "unpacked/meta.csv", listing):
        path.unlink()
    planned = fresh.planned("checkpoints", **options)
    assert not planned.keys() & {"list_clips", "extract_features", "split_clips"}, "what was made stays"
