"""What the study leans on in Snakemake is still there and still means the same: asked of small runs of it."""

import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import snakemake
from packaging.requirements import Requirement
from packaging.version import Version
from snakemake.script import PythonScript

from channel_sparsity.bookkeeping import snakemake_internals
from channel_sparsity.bookkeeping.snakemake_internals import failed_jobs, is_job_of, warn_of_newer

ROOT = Path(__file__).parents[3]
HEAD = """
import json, os, subprocess, sys
sys.path.insert(0, {scripts!r})
from channel_sparsity.bookkeeping import snakemake_internals as internals

def said(value):
    print("SAID", json.dumps(value), file=sys.stderr, flush=True)
"""


@pytest.fixture
def run(tmp_path):
    """Run a workflow; what it said by `said(...)`, then everything that is on the terminal."""

    def ran(snakefile, *arguments, code=0, **variables):
        head = HEAD.format(scripts=str(ROOT / "workflow/scripts"))
        (tmp_path / "Snakefile").write_text(head + dedent(snakefile))
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        text = done.stdout + done.stderr
        assert done.returncode == code, text
        return *map(json.loads, re.findall(r"^SAID (.*)$", text, flags=re.MULTILINE)), text

    return ran


def test_the_jobs_of_a_run_and_which_only_follow_from_others(run, tmp_path):
    workflow = """
    rule all:
        input: "after-x", "forced", "missing"

    rule first:
        output: "first"
        shell: "touch first"

    rule after:
        input: "first"
        output: "after-{which}", "beside-{which}"
        shell: "touch {output}"

    rule forced:
        input: "first"
        output: "forced"
        shell: "touch {output}"

    rule missing:
        input: "first"
        output: "missing"
        shell: "touch {output}"

    rule done:
        output: "done"
        shell: "touch done"

    onstart:
        jobs = internals.planned_jobs(workflow)
        said({job.rule_name: [job.output, job.only_after_others] for job in jobs})
        said([job.wildcards.which for job in jobs if job.rule_name == "after"])
    """
    planned, _, _ = run(workflow, "all", "done")
    assert planned.keys() == {"all", "first", "after", "forced", "missing", "done"}
    assert [rule for rule, (_, only_after_others) in planned.items() if only_after_others] == ["all"], (
        "it has no output"
    )
    for name in ("first", "missing"):
        (tmp_path / name).unlink()
    planned, which, _ = run(workflow, "all", "done", "--forcerun", "forced")
    assert planned == {
        "all": [[], True],
        "first": [["first"], False],
        "after": [["after-x", "beside-x"], True],
        "forced": [["forced"], False],
        "missing": [["missing"], False],
    }
    assert which == ["x"]


@pytest.mark.parametrize(("arguments", "limited"), [((), False), (("--max-jobs-per-timespan", "5/1s"), True)])
def test_no_limit_makes_the_scheduler_turn_ever_faster(run, arguments, limited):
    workflow = """
    internals.before_jobs(workflow, lambda targets: None, lambda jobs, dry: None)

    rule one:
        output: "one"
        shell: "touch one"

    onstart:
        said(workflow.scheduler.job_rate_limiter is not None)
    """
    said, _ = run(workflow, *arguments)
    assert said == limited


LOOKED_AT = """
os.environ.setdefault("MAIN", str(os.getpid()))

def asked(targets):
    said(targets)
    said([*internals.known_targets(workflow), internals.is_made(workflow, "one-7"), internals.is_made(workflow, "x")])
    if "no-such" in targets:
        raise internals.Refused("There is no target no-such.")

def planned(jobs, dry):
    said([dry, sorted(job.rule_name for job in jobs)])
    if "refused" in jobs[0].output:
        raise internals.Refused("It is refused.")

internals.say_instead(lambda: "It is locked.", lambda files: f"{files} are read-only.")
internals.before_jobs(workflow, asked, planned)

rule every:
    input: "one-1"

rule one:
    output: "one-{number}"
    shell: "touch {output}"

rule refused:
    output: "refused"
    shell: "touch {output}"

rule interrupted:
    output: "interrupted"
    shell: "kill -INT $MAIN; sleep 20"

onerror:
    said(internals.was_stopped(open(log[0]).read()))
"""


def test_targets_and_plans_are_looked_at_before_anything_is_run(run, tmp_path):
    names = [["every", "refused", "interrupted"], ["refused", "interrupted"], True, False]
    targets, known, plan, _ = run(LOOKED_AT, "-n")
    assert (targets, known, plan) == ([], names, [True, ["every", "one"]])
    assert run(LOOKED_AT)[2:-1] == ([False, ["every", "one"]],), "a script's own process does not look"
    for target, sentence in (("no-such", "There is no target no-such."), ("refused", "It is refused.")):
        *_, text = run(LOOKED_AT, target, code=1)
        assert text.splitlines()[-2:] == ["Refused:", sentence]
    assert not (tmp_path / "refused").exists()


def test_a_lock_is_said_in_our_words(run, tmp_path):
    locks = tmp_path / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("one-1\n")
    assert run(LOOKED_AT, code=1)[-1].splitlines()[-1] == "It is locked."


def test_read_only_outputs_are_said_in_our_words(run, tmp_path):
    denied = (
        LOOKED_AT + "\nallowed = os.access\nos.access = lambda path, mode: path != 'one-1' and allowed(path, mode)\n"
    )
    (tmp_path / "one-1").touch()
    assert run(denied, "--forceall", code=1)[-1].splitlines()[-1] == "['one-1'] are read-only."


@pytest.mark.parametrize("place", ["{}", "rule one:\n    output: 'one'\n    shell: 'touch one'\n\nonsuccess:\n    {}"])
def test_an_error_of_the_study_is_said_by_its_sentence_alone(run, place):
    workflow = "from channel_sparsity.files import StudyError\n\ndef fail():\n    with internals.refusing():\n"
    workflow += "        raise StudyError('It is damaged.')\n\n" + place.format("fail()")
    assert run(workflow, code=1)[-1].splitlines()[-2:] == ["Refused:", "It is damaged."]


def test_that_a_run_was_stopped_is_in_its_log(run):
    assert run(LOOKED_AT.replace("-INT", "-TERM"), "interrupted", code=1)[-2] is True
    assert run(LOOKED_AT, "interrupted", code=1)[-2] is True
    assert run(LOOKED_AT.replace("kill -INT $MAIN; sleep 20", "exit 1"), "interrupted", code=1)[-2] is False


def test_configuration_files_and_limits_of_the_command_line(run, tmp_path):
    workflow = """
    internals.set_limit_unless_given(workflow, "given", 2)
    internals.set_limit_unless_given(workflow, "not_given", 2)
    said(list(map(str, internals.configuration_files(workflow))))
    said([internals.limit(workflow, name) for name in ("given", "elsewhere")])

    rule all:
        input: expand("{number}", number=range(6))

    rule one:
        output: "{number}"
        resources: given=1, not_given=lambda wildcards: 1
        shell: "touch {output}"

    onstart:
        said(internals.executor_setting(workflow, "jobname_prefix"))
    """
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("{}")
    options = ["--configfile", "one.yaml", "two.yaml", "--resources", "given=7", "--cores", "6"]
    files, limits, prefix, text = run(workflow, *options)
    assert [Path(file).name for file in files] == ["one.yaml", "two.yaml"]
    assert limits == [7, None] and prefix is None
    assert max(map(int, re.findall(r"^Execute (\d+) jobs", text, flags=re.MULTILINE))) == 2


def test_an_untracked_parameter_makes_nothing_run_again(run):
    workflow = """
    rule one:
        output: "one"
        params:
            compared=os.environ["COMPARED"],
            untracked=internals.untracked(os.environ["UNTRACKED"]),
        shell: "echo {params.untracked} > {output}"
    """
    run(workflow, COMPARED="1", UNTRACKED="1")
    (text,) = run(workflow, "-n", COMPARED="1", UNTRACKED="2")
    assert "Nothing to be done" in text
    (text,) = run(workflow, "-n", COMPARED="2", UNTRACKED="1")
    assert "Nothing to be done" not in text


def test_a_resource_of_what_a_checkpoint_is_to_choose_is_known_when_its_job_runs(run, tmp_path):
    workflow = """
    def chosen(wildcards, input, attempt):
        return int(open(checkpoints.choose.get().output[0]).read())

    rule all:
        input: "made"

    checkpoint choose:
        output: "chosen"
        shell: "echo 7 > {output}"

    rule make:
        input: "chosen"
        output: "made"
        resources: mem_mb=internals.once_known(chosen, until_then=1000)
        shell: "echo {resources.mem_mb} > {output}"
    """
    run(workflow, "-n")  # which stumbles over what is not known
    run(workflow)
    assert (tmp_path / "made").read_text() == "7\n"


def test_files_as_they_are_are_neither_made_nor_updated(run, tmp_path):
    workflow = """
    folder = internals.as_they_are("results/x")

    rule make:
        output: "results/x/made"
        params: os.environ["COMPARED"]
        shell: "echo {params} > {output}"

    rule use:
        input: f"{folder}/made"
        output: "used"
        shell: "cp {input} {output}"
    """
    (text,) = run(workflow, "used", COMPARED="1", code=1)
    assert "Missing input files" in text
    run(workflow, "results/x/made", COMPARED="1")
    run(workflow, "used", COMPARED="2")
    assert (tmp_path / "used").read_text() == "1\n"


def test_scripts_are_started_by_what_is_told_to(run, tmp_path):
    workflow = """
    def start(file):
        said("started")
        exec(open(file).read(), {"__name__": "__main__", "__file__": file})
        if "fail" in os.environ:
            raise subprocess.CalledProcessError(3, "python")

    onstart:
        internals.start_scripts_by(start)

    rule one:
        output: "one"
        script: "one.py"
    """
    (tmp_path / "one.py").write_text("open(snakemake.output[0], 'w').write(__name__)")
    started, _ = run(workflow)
    assert started == "started" and (tmp_path / "one").read_text() == "__main__"
    started, _ = run(workflow, "--forceall", code=1, fail="1")
    assert started == "started" and not (tmp_path / "one").exists(), "of a failed job nothing is kept"


def test_what_has_a_python_of_its_own_is_told_apart():
    """The attributes that `start_scripts_by` asks; environments themselves are not made here."""
    settings = inspect.signature(PythonScript.__init__).parameters
    assert {"conda_env", "container_img", "env_modules"} <= settings.keys()
    assert list(inspect.signature(PythonScript.execute_script).parameters) == ["self", "fname", "edit"]


def test_failed_jobs_are_in_the_log_of_a_run_with_their_output_and_logs(run):
    workflow = """
    rule all:
        input: "a1", "b1"

    rule a:
        output: "a1", "a2"
        log: "a.log", "more.log"
        shell: "false"

    rule b:
        output: "b1"
        log: "b.log"
        shell: "false"

    rule no_log:
        output: "c"
        shell: "false"

    onerror:
        said("".join(open(file).read() for file in log))
    """
    said, _ = run(workflow, "all", "c", "--keep-going", "--retries", "1", code=1)
    failed = failed_jobs(said)
    assert sorted(failed) == sorted([("a1", ["a.log", "more.log"]), ("b1", ["b.log"])] * 2)


SLURM = """
rule all:
    input: "a"

rule a:
    output: "a"
    resources: runtime=1, mem_mb=1
    shell: "touch {output}"

onstart:
    said(internals.executor_setting(workflow, "jobname_prefix"))
"""


def test_jobs_in_slurm_are_named_by_the_prefix_of_the_run(run, tmp_path):
    """Asked of the plugin, with a stand-in for sbatch that refuses every job and says how it was called."""
    (tmp_path / "bin").mkdir()
    for name in ("sbatch", "sinfo", "scontrol", "squeue", "sacct", "sacctmgr", "scancel"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/called\nexit 1\n')
        program.chmod(0o755)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    options = ["--executor", "slurm", "--jobs", "1", "--slurm-jobname-prefix", "of-this-study"]
    options += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
    options += ["--default-resources", "slurm_partition=p"]
    prefix, _ = run(SLURM, *options, PATH=path, code=1)
    assert prefix == "of-this-study"
    (name,) = set(re.findall(r"--job-name[= ](\S+)", (tmp_path / "called").read_text()))
    name = name.strip("'\"")
    assert is_job_of(name, "of-this-study") and not is_job_of(name, "of-this")


@pytest.mark.parametrize(
    ("version", "warned"), [("9.26.3", False), ("9.27.9", False), ("9.28.0", True), ("10.0", True)]
)
def test_a_version_that_nobody_has_tried_is_named(monkeypatch, capsys, version, warned):
    monkeypatch.setattr(snakemake, "__version__", version)
    warn_of_newer("9.27")
    said = capsys.readouterr().err
    assert said.startswith(f"Snakemake {version} is newer than 9.27") == warned == ("make environment" in said)


def test_the_locked_version_is_one_that_was_tried():
    """Who locks another minor version runs this file and all other tests with it, then says so in `TRIED`."""
    lines = [line.rstrip(" \\") for line in (ROOT / "envs/requirements.txt").read_text().splitlines()]
    (locked,) = [Requirement(line) for line in lines if line.startswith("snakemake==")]
    lowest = re.search(r'min_version\("(.+)"\)', (ROOT / "Snakefile").read_text())[1]
    assert locked.specifier.contains(f"{snakemake_internals.TRIED}.{Version(snakemake.__version__).micro}")
    assert Version(lowest) <= Version(snakemake_internals.TRIED)


def test_what_is_loaded_for_all_jobs_is_there():
    """A module that is gone would be passed over in silence, and every job would load what it needs by itself."""
    import warm_start

    assert [name for name in warm_start.LOADED if importlib.util.find_spec(name) is None] == []


def test_nothing_else_reaches_into_snakemake():
    """Beside what its documentation shows: `workflow.basedir`, `workflow.cores`, min_version, WorkflowError."""
    documented = {"basedir", "cores"}
    files = [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk"), *(ROOT / "workflow/scripts").rglob("*.py")]
    for path in files:
        if path.name != "snakemake_internals.py":
            text = path.read_text()
            used = set(re.findall(r"\bworkflow\.(\w+)", text)) - documented
            imported = set(re.findall(r"^ *(?:from|import) (snakemake[\w.]*)", text, flags=re.MULTILINE))
            assert not used and imported <= {"snakemake.utils", "snakemake.exceptions"}, path
