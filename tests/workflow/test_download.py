"""Archives arrive whole through the real workflow, whatever happens to the line, the disk or the run."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from conftest import FOLDER_FEATURES
from record_server import Conduct, RecordServer

NAMES = ("audio.1.zip", "audio.2.zip")
FILES = {name: hashlib.shake_128(name.encode()).digest(1_000_000) for name in (*NAMES, "meta.zip")}
CUT = 600_000

pytestmark = pytest.mark.faults


@pytest.fixture
def server():
    with RecordServer(FILES) as record:
        yield record


class Run:
    """A run of the workflow that wants some archives of a server's record."""

    def __init__(self, study, server, *names, study_name="mine"):
        self.study = study
        metadata, *audio = sorted(server.listing(), key=lambda archive: archive["name"] != "meta.zip")
        configfile = study.work.parent / f"{study_name}.yaml"
        configfile.write_text(
            yaml.safe_dump(
                {
                    "study": study_name,
                    "dataset": "mine",
                    "datasets": {
                        "mine": {
                            "source": "record",
                            "devices": ["a"],
                            "features": FOLDER_FEATURES,
                            "record": {
                                "address": server.address,
                                "licence": "Free for tests.",
                                "archives": None,
                                "keep_archives": True,
                                "keep_audio": False,
                                "metadata": metadata,
                                "audio": audio,
                            },
                        }
                    },
                }
            )
        )
        self.archives = study.work / "data/mine/archives"
        targets = [f"data/mine/archives/{name}" for name in names]
        self.command = [sys.executable, "-m", "snakemake", *targets, "--cores", "2", "--directory", str(study.work)]
        self.command += ["--configfile", str(configfile)]

    def start(self):
        """Start the run in a process group of its own."""
        return subprocess.Popen(
            self.command,
            cwd=self.study.code,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def fails(self):
        """What a failed run says: the sentences of the jobs, said at the end once more."""
        said = self.ends(1)
        assert "Traceback" not in said
        return set(re.findall(r"^error: .*$", said, flags=re.MULTILINE))

    def ends(self, code):
        """What a run says that ends with a code."""
        process = self.start()
        said, _ = process.communicate(timeout=300)
        assert process.returncode == code, said
        return said

    def has(self, *names):
        """Whether these archives are there, whole, and nothing else is."""
        found = {path.name: path.read_bytes() for path in self.archives.iterdir()}
        return found == {name: FILES[name] for name in names}


def wait_for(path, size):
    """Wait until a file has come to a size."""
    end = time.monotonic() + 300
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < end, f"{path} has not come to {size} bytes"
        time.sleep(0.02)


def read_until(process, words):
    """What a process says until it says some words."""
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"{words!r} was not said: {said}")


def test_runs_that_meet_or_are_killed(fresh, server):
    run = Run(fresh, server, NAMES[0])
    server.plan(NAMES[0], Conduct(mute_after=CUT))
    killed = run.start()
    wait_for(run.archives / f"{NAMES[0]}.partial", CUT)
    assert "is locked by another run, which is at work" in run.ends(1)
    # kill -9 of the main process leaves the job, which goes on: the next run waits for it, and takes over if it dies.
    killed.kill()
    killed.wait()
    subprocess.run([*run.command, "--unlock"], cwd=fresh.code, check=True, capture_output=True)
    next_run = run.start()
    assert f"{NAMES[0]}: Free for tests." in read_until(next_run, "is being written by another process")
    os.killpg(killed.pid, signal.SIGKILL)
    next_run.communicate(timeout=300)
    assert next_run.returncode == 0 and run.has(NAMES[0]) and server.starts(NAMES[0]) == [0, CUT]


def test_what_cannot_be_had_holds_back_nothing_else(fresh, server):
    run = Run(fresh, server, *FILES)
    good, refused, wrong = FILES
    server.plan(good, Conduct(cut_after=CUT))
    server.plan(refused, Conduct(cut_after=CUT), Conduct(404))
    server.plan(wrong, afterwards=Conduct(contents=lambda content: content[::-1]))
    sentences = sorted(run.fails())
    assert len(sentences) == 2
    assert f"{server.url(refused)} was answered 404 Not Found: correct the record's `address`" in sentences[0]
    assert f"{server.url(wrong)} brought contents with the MD5" in sentences[1]
    assert sorted(os.listdir(run.archives)) == [good, f"{refused}.partial"]
    for name in FILES:
        server.plan(name)
    run.ends(0)
    assert run.has(*FILES)
    assert server.starts(good) == [0, CUT] and server.starts(refused) == [0, CUT, CUT]
    log = (fresh.work / f"data/mine/logs/archives/{good}.log").read_text()
    assert re.search(r"connection failed \(it ended too early\); trying again in 2 s \(600,000 of 1,000,000 bytes", log)
    assert re.search(r"100% 1\.00M/1\.00M \[\d\d:\d\d<00:00, .*B/s\]", log)


def test_a_full_disk(fresh, server):
    run = Run(fresh, server, NAMES[0])
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))"
    run.command[1:3] = ["-c", f"{limited}; from snakemake.cli import main; main()"]
    (sentence,) = run.fails()
    assert f"{NAMES[0]}.partial cannot be written (File too large): make room for it" in sentence
    assert (run.archives / f"{NAMES[0]}.partial").read_bytes() == FILES[NAMES[0]][:600_000]


def test_two_studies_with_one_data_folder_fetch_an_archive_once(fresh, server, tmp_path):
    server.plan(NAMES[0], Conduct(mute_after=CUT))
    (tmp_path / "shared").mkdir()
    runs = []
    for name in ("one", "other"):
        study = type(fresh)(fresh.code, tmp_path / name)
        study.work.mkdir()
        (study.work / "data").symlink_to(tmp_path / "shared")
        runs.append(Run(study, server, NAMES[0], study_name=name))
    first = runs[0].start()
    wait_for(runs[0].archives / f"{NAMES[0]}.partial", CUT)
    second = runs[1].start()
    read_until(second, "is being written by another process")
    server.speak()
    for each in (first, second):
        said, _ = each.communicate(timeout=300)
        assert each.returncode == 0, said
    assert runs[0].has(NAMES[0]) and server.sent(NAMES[0]) == len(FILES[NAMES[0]])
