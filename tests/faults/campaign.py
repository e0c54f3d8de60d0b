"""Break a small study at random, again and again, and see that its numbers come out right or one error does.

    python tests/faults/campaign.py --faults 100 --seed 1

A fault is right if the study ends with the bytes of an undisturbed one, at once or after one error (a sentence, no
traceback) and after what it asks for was done. Prints every fault and, at the end, a table; ends with 1 if any went
wrong.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from damage import DAMAGES, LAMBDAS, drawn, from_the_future
from study import LOCKED, Study, awaited, differing, ended, sentences, workers

SAME, SAID, WRONG, SKIPPED = "the same bytes", "one error, then the same bytes", "WRONG", "skipped"
REPAIRS = 3

#: What each stage makes, in order; how often the disturbance begins there (the later, the cheaper), and how many jobs
#: run from there on.
STAGES = {
    "synthesise_scenes": ("data/faults/*", 1, 13),
    "extract_features": ("data/faults/logmel.h5 data/faults/findings.csv data/faults/manifest.json", 1, 12),
    "split_clips": ("results/faults/*.*", 1, 10),
    "train_network": ("results/faults/train/*/lambda-{lam}/seed-1/*", 6, 5),
    "prune_network": ("results/faults/prune/*/*/lambda-{lam}/seed-1/*", 6, 3),
    "find_knee": ("results/faults/prune/*/*/lambda-{lam}/seed-1/knee.json", 1, 2),
    "make_tables": ("results/faults/tables/*", 1, 1),
}


@dataclass
class Outcome:
    """What was done, what came of it, and what was said."""

    kind: str
    what: str
    result: str
    said: str = ""
    seconds: float = 0.0


class Campaign:
    """An undisturbed study, and what is done to its copies."""

    def __init__(self, folder: Path, chance: random.Random):
        self.folder, self.chance = folder, chance
        self.reference = Study(folder / "reference")
        self.reference.folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        code, said = self.reference.run()
        assert code == 0, said
        self.run_s = time.monotonic() - began

    def copy(self, folder: Path | None = None) -> Study:
        """A copy of the finished study."""
        return Study.copy_of(self.reference, folder or self.folder / "broken")

    def undo(self, study: Study, among: Iterable[str] = STAGES) -> str:
        """Delete what a stage, drawn at random, and those after it made; the stage's name."""
        (first,) = self.chance.choices(list(among), [STAGES[stage][1] for stage in among])
        later = list(STAGES)[list(STAGES).index(first) :]
        lam = self.chance.choice(LAMBDAS) if "split_clips" not in later else "*"
        for stage in later:
            for path in chain.from_iterable(map(study.folder.glob, STAGES[stage][0].format(lam=lam).split())):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return first

    def judge(self, study: Study, kind: str, what: str, errors: list[str]) -> Outcome:
        """Compare a study that has ended well with the undisturbed one."""
        wrong = differing(study, self.reference)
        if wrong:
            return Outcome(kind, what, WRONG, f"{wrong[0]} and {len(wrong) - 1} more differ")
        return Outcome(kind, what, SAID if errors else SAME, "; ".join(errors))

    def end(
        self,
        study: Study,
        kind: str,
        what: str,
        errors: Iterable[str] = (),
        also: Path | None = None,
        repair: bool = False,
    ) -> Outcome:
        """Run a study, and what makes the file `also`, until it ends well; then judge it.

        If `repair`, what its errors ask for is done in between.
        """
        heard = list(errors)
        for _ in range(REPAIRS):
            code, said = study.go_on(*([str(also.relative_to(study.folder))] if also else []))
            found = sentences(said)
            if code == 0:
                return self.judge(study, kind, what, heard)
            if not found or (repair and "Traceback" in said):
                return Outcome(kind, what, WRONG, f"no clear error: {said[-300:]}")
            heard += found
            if not repair or len(found) > 1:
                return Outcome(kind, what, WRONG, f"not one error: {found}")
            self.obey(study, found[0])
        return Outcome(kind, what, WRONG, f"the errors never end: {heard}")

    def obey(self, study: Study, sentence: str) -> None:
        """Delete what an error asks to delete; touch a file that is from the future; run first what is to run first."""
        # Not `dataset`, whose report the undisturbed study does not have.
        if first := re.search(r"Run the targets? `?(?:dataset )?([\w./-]+)`? first", sentence):
            study.run(first[1])
            return
        if future := re.search(rf"older modification time .* than input ({PLACE})", sentence):
            (study.folder / future[1]).touch()
            return
        named = re.search(rf"delete ({PLACE})", sentence) or re.search(rf"({PLACE})", sentence)
        path = study.folder / named[1]
        for each in path.parent.glob("*.*") if "beside it" in sentence else [path]:
            shutil.rmtree(each) if each.is_dir() else each.unlink(missing_ok=True)

    def damage(self, kind: str, harm: Callable) -> Outcome:
        """A file is not what it was when the next job reads it."""
        study = self.copy()
        read, output = drawn(self.chance, study.folder)
        output.unlink()
        what = f"{read.relative_to(study.folder)}: {harm(self.chance, read)}; then {output.name}"
        return self.end(study, kind, what, also=output, repair=True)

    def damage_state(self, kind: str) -> Outcome:
        """A job is killed with all others when it has kept its state, which is then damaged, or not."""
        study = self.copy()
        what = self.undo(study, ("train_network", "prune_network"))
        process = study.start()
        kept = "results/faults/*/**/state/state.safetensors"
        states = awaited(process, lambda: list(study.folder.glob(kept)))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        for state in states or []:
            harm = self.chance.choice([*DAMAGES.values(), None])
            if state.exists() and harm:
                what += f", {state.parent.parent.relative_to(study.folder)}/state {harm(self.chance, state)}"
        return self.end(study, kind, what if states else f"{what}: had ended")

    def kill(self, kind: str, stop: Callable) -> Outcome:
        """A run is stopped some time after some of its jobs."""
        study = self.copy()
        first = self.undo(study)
        jobs, delay = self.chance.randrange(STAGES[first][2]), self.chance.uniform(0, max(self.run_s, 20) / 8)
        process = study.start()
        try:
            awaited(process, lambda: process.said.read_text(errors="replace").count("\nFinished") >= jobs)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=delay)
            what = f"{first} on, {jobs} jobs done, after {delay:.1f} s"
            if process.poll() is not None:
                what += ": had ended"
            else:
                stop(self.chance, process.pid)
            if process.poll() is None and not stop.__name__.startswith("kill_main"):
                ended(process)
            process.wait()
            return self.end(study, kind, what)
        finally:  # what the main process left behind
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def two_runs(self, kind: str) -> Outcome:
        """A second run is started while the first is at work."""
        study = self.copy()
        what = f"{self.undo(study)} on"
        first = study.start()
        awaited(first, lambda: "\nJob " in first.said.read_text(errors="replace"))
        code, said = study.run()
        refused = code != 0 and LOCKED in said
        one, _ = ended(first)
        if one or not (refused or code == 0):
            return Outcome(kind, what, WRONG, f"{one}, {code}: {said[-300:]}")
        return self.judge(study, kind, what, [LOCKED] if refused else [])

    def disk(self, kind: str, read_only: bool) -> Outcome:
        """The disk has no room, or takes nothing, for a while."""
        with mounted(self.folder / "disk") as disk:
            study = self.copy(disk / "study")
            what = f"{self.undo(study)} on"
            if read_only:
                remount(disk, "ro")
            else:
                room = self.chance.randrange(0, 200_000, 4096)
                usage = os.statvfs(disk)
                remount(disk, f"size={(usage.f_blocks - usage.f_bfree) * usage.f_frsize + room}")
                what += f", {room // 1000} kB free"
            code, said = study.run()
            remount(disk, f"rw,size={DISK}")
            errors = sentences(said) if code else []
            if code and not errors:
                return Outcome(kind, what, WRONG, f"no clear error: {said[-300:]}")
            return self.end(study, kind, what, errors[:1])


PLACE = r"(?:data|results)/faults[\w./-]*"
DISK = "200m"


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small disk in memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, options: str) -> None:
    """Change a disk in memory."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def may_mount(folder: Path) -> bool:
    """Whether this process may mount a disk."""
    try:
        with mounted(folder / "disk"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def kill_main(chance: random.Random, pid: int) -> None:
    """kill -9 of the main process, whose jobs go on."""
    os.kill(pid, signal.SIGKILL)


def kill_group(chance: random.Random, pid: int) -> None:
    """kill -9 of the main process and of its jobs."""
    os.killpg(pid, signal.SIGKILL)


def kill_worker(chance: random.Random, pid: int) -> None:
    """kill -9 of one job."""
    for worker in [chance.choice(found)] if (found := workers(pid)) else []:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def interrupt(chance: random.Random, pid: int) -> None:
    """Ctrl-C."""
    os.killpg(pid, signal.SIGINT)


def terminate(chance: random.Random, pid: int) -> None:
    """SIGTERM of the main process."""
    os.kill(pid, signal.SIGTERM)


KILLS = {
    "kill -9, main process": kill_main,
    "kill -9, process group": kill_group,
    "kill -9, one job": kill_worker,
    "Ctrl-C": interrupt,
    "SIGTERM": terminate,
}


def faults(campaign: Campaign) -> dict[str, Callable[[str], Outcome]]:
    """What can be done to a study, by its name."""
    made = {kind: lambda kind, stop=stop: campaign.kill(kind, stop) for kind, stop in KILLS.items()}
    made |= {kind: lambda kind, harm=harm: campaign.damage(kind, harm) for kind, harm in DAMAGES.items()}
    made["file from the future"] = lambda kind: campaign.damage(kind, from_the_future)
    made["killed, state damaged"] = campaign.damage_state
    made["two runs at once"] = campaign.two_runs
    made["disk full"] = lambda kind: campaign.disk(kind, read_only=False)
    made["read-only disk"] = lambda kind: campaign.disk(kind, read_only=True)
    return made


def table(outcomes: list[Outcome]) -> str:
    """How often each fault came to what, in Markdown."""
    results = [
        result
        for result in (SAME, SAID, WRONG, SKIPPED)
        if result != SKIPPED or any(outcome.result == SKIPPED for outcome in outcomes)
    ]
    counts = Counter((outcome.kind, outcome.result) for outcome in outcomes)
    kinds = list(dict.fromkeys(outcome.kind for outcome in outcomes))
    lines = ["| fault | times | " + " | ".join(results) + " |", "|---|" + "---:|" * (len(results) + 1)]
    for kind in sorted(kinds):
        each = [counts[kind, result] for result in results]
        lines.append(f"| {kind} | {sum(each)} | " + " | ".join(map(str, each)) + " |")
    total = [sum(counts[kind, result] for kind in kinds) for result in results]
    return "\n".join([*lines, f"| all | {sum(total)} | " + " | ".join(map(str, total)) + " |"])


def main() -> int:
    """Run the campaign that the command line asks for; 1 if a fault came to anything wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; an undisturbed study that is there is used again")
    parser.add_argument("--kinds", nargs="*", help="only faults whose names contain one of these words")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    outcomes = []
    with nullcontext(arguments.folder) if arguments.folder else tempfile.TemporaryDirectory(prefix="faults-") as folder:
        campaign = Campaign(Path(folder), chance)
        print(f"undisturbed: {campaign.run_s:.0f} s", flush=True)
        possible = faults(campaign)
        kinds = [kind for kind in possible if any(word in kind for word in arguments.kinds or [""])]
        mounts = may_mount(Path(folder))
        for number in range(arguments.faults):
            kind = kinds[number % len(kinds)]
            began = time.monotonic()
            if "disk" in kind and not mounts:
                outcome = Outcome(kind, "", SKIPPED, "this user may not mount a disk")
            else:
                try:
                    outcome = possible[kind](kind)
                except subprocess.TimeoutExpired:
                    outcome = Outcome(kind, "", WRONG, "a run hangs")
            outcome.seconds = time.monotonic() - began
            outcomes.append(outcome)
            said = f" ({outcome.said})" if outcome.said else ""
            print(f"{number + 1}. {kind}: {outcome.what}: {outcome.result}{said} [{outcome.seconds:.0f} s]", flush=True)
    print(table(outcomes))
    return int(any(outcome.result == WRONG for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
