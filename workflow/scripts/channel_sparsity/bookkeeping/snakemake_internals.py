"""Everything of Snakemake that the study leans on and that Snakemake's documentation does not promise.

Rules and modules call these functions and reach no further themselves. Each has a test that runs Snakemake and fails
when what stands behind it is gone or means something else (tests/unit/bookkeeping/test_snakemake_internals.py).
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import snakemake
import snakemake.exceptions
import snakemake.jobs
from packaging.version import Version
from snakemake.exceptions import IncompleteCheckpointException, WorkflowError
from snakemake.script import PythonScript

from channel_sparsity.files import StudyError

#: The latest version that all tests have passed with. Patches of it (the third number) are taken for the same.
TRIED = "9.27"


def warn_of_newer(tried: str = TRIED) -> None:
    """Say on the terminal that this Snakemake is newer than what the study was tried with.

    No more than that: what is used here decides when jobs run and what the terminal says, and no number. A run of days
    should not wait for somebody to try a version.
    """
    if Version(snakemake.__version__).release[:2] > Version(tried).release[:2]:
        print(
            f"Snakemake {snakemake.__version__} is newer than {tried}, the latest that this study was tried with. "
            "No number depends on it, but a run may stop or run jobs again that need not: then `make environment` "
            "makes .venv with the version that was tried.",
            file=sys.stderr,
        )


class Refused(WorkflowError):
    """What ends a run before its jobs, or instead of them: shown as its sentence, without the lines of code behind."""

    __traceback__ = property(lambda self: None, lambda self, traceback: None)


@contextmanager
def refusing() -> Iterator[None]:
    """A `StudyError` ends the run by its sentence."""
    try:
        yield
    except StudyError as error:
        raise Refused(str(error)) from None


def configuration_files(workflow: Any) -> list[Path]:
    """The files of ``--configfile``, in their order."""
    return list(map(Path, workflow.overwrite_configfiles))


class PlannedJob(NamedTuple):
    """A job that is to run. `only_after_others`: its outputs are there, and only jobs before it make it run again.
    `replaces`: its outputs are there, and nobody forced it.
    """

    rule_name: str
    wildcards: Any
    output: list[str]
    only_after_others: bool
    replaces: bool


def planned_jobs(workflow: Any) -> list[PlannedJob]:
    """The jobs that a run consists of, when it starts; those that follow from a checkpoint come later."""
    jobs = []
    for job in workflow.dag.needrun_jobs():
        why = workflow.dag.reason(job)
        replaces = not (why.missing_output or why.forced)
        only_after_others = bool(why.updated_input_run) and replaces
        jobs.append(PlannedJob(job.rule.name, job.wildcards, list(map(str, job.output)), only_after_others, replaces))
    return jobs


def before_jobs(
    workflow: Any, asked: Callable[[list[str]], None], planned: Callable[[list[PlannedJob], bool], None]
) -> None:
    """Look at the targets before anything is planned, and at the plan before anything is run or (true) would be.

    Either may raise `Refused`. Not in the processes that Snakemake itself starts for jobs, and no plan of ``--touch``.
    """
    if not workflow.is_main_process:
        return
    prepare = workflow._prepare_dag

    def prepared(*args, **kwargs):
        _lift_rate_limit(workflow)
        asked(list(workflow.dag_settings.targets))
        prepare(*args, **kwargs)
        postprocess = workflow.dag.postprocess

        async def postprocessed(*args, check_initial=False, **kwargs):
            await postprocess(*args, check_initial=check_initial, **kwargs)
            if check_initial and not workflow.touch:
                planned(planned_jobs(workflow), workflow.dryrun)

        workflow.dag.postprocess = postprocessed

    workflow._prepare_dag = prepared


def _lift_rate_limit(workflow: Any) -> None:
    """Begin jobs as soon as there is room for them, unless ``--max-jobs-per-timespan`` sets another limit than 100/1s.

    With a limit each turn of Snakemake's scheduler orders another one, a second later. So each job that ends adds a
    turn a second until the run is over, and after some hundred jobs the turns take a core
    (github.com/snakemake/snakemake/issues/2967).
    """
    settings = workflow.scheduling_settings  # None where nothing is run, as for --report
    limit = settings and settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        settings.max_jobs_per_timespan = None


def say_instead(locked: Callable[[], str], protected: Callable[[list[str]], str]) -> None:
    """What is said, instead of Snakemake's own words, when its lock is another run's, and of outputs without permission
    to write them."""
    snakemake.exceptions.LockException = lambda: Refused(locked())
    snakemake.jobs.ProtectedOutputException = lambda job, files: Refused(protected(list(map(str, files))))


def known_targets(workflow: Any) -> tuple[list[str], list[str]]:
    """The rules that can be asked for by name, those that only collect files first, and files that rules make."""
    rules = [rule for rule in workflow.rules if not rule.has_wildcards()]
    return [rule.name for rule in sorted(rules, key=lambda rule: bool(rule.output))], [
        str(file) for rule in rules for file in rule.output
    ]


def is_made(workflow: Any, file: str) -> bool:
    """Whether some rule makes a file of this name."""
    return any(rule.is_producer(file) for rule in workflow.rules)


def executor_setting(workflow: Any, name: str) -> Any:
    """A setting of what runs the jobs (``--slurm-jobname-prefix`` is SLURM's `jobname_prefix`); None if it has none."""
    return getattr(workflow.executor_settings, name, None)


def is_job_of(name: str, prefix: str) -> bool:
    """Whether SLURM's name of a job is one that Snakemake's plugin gives under a prefix."""
    return name.startswith(f"{prefix}_")


def limit(workflow: Any, resource: str) -> int | None:
    """How much of a resource all jobs together may have, by ``--resources``; None if nothing is said."""
    found = workflow.global_resources.get(resource)
    return None if found is None else found.value


def set_limit_unless_given(workflow: Any, resource: str, amount: int) -> None:
    """Limit a resource, where ``--resources`` does not."""
    if limit(workflow, resource) is None:
        workflow.register_resource(resource, amount)


def untracked(value: Any) -> Callable:
    """A parameter that decides no result: Snakemake does not compare those that depend on outputs."""
    # Nor those that depend on resources, but these it cannot know while a checkpoint is to come.
    return lambda wildcards, output: value


def once_known(resource: Callable, until_then: int) -> Callable:
    """A resource that is asked of a checkpoint's output: any number will do while that is to come.

    Snakemake stumbles over a resource that is not known, and asks again when it is.
    """

    def of(wildcards, input, attempt):
        try:
            return resource(wildcards, input, attempt)
        except IncompleteCheckpointException:
            return until_then

    return of


def as_they_are(folder: str) -> str:
    """Another name of a folder. Snakemake goes by names: what is asked for by this one it neither makes nor updates."""
    return f"{folder}/../{Path(folder).name}"


def start_scripts_by(start: Callable[[str], None]) -> None:
    """From now on, start the Python scripts of rules by `start(file)`, which raises `CalledProcessError` if one fails.

    Not those in conda, in a container or with modules of a cluster, which have a Python of their own.
    """
    started_anew = PythonScript.execute_script

    def execute_script(self, fname, edit=False):
        if edit or self.conda_env or self.container_img or self.env_modules:
            started_anew(self, fname, edit)
        else:
            start(fname)

    PythonScript.execute_script = execute_script


def failed_jobs(log: str) -> list[tuple[str | None, list[str]]]:
    """Of each failed job in the text of a run's log: its first output, if it has one, and its logs, its own first.

    A job whose attempts have all failed is there once for each.
    """
    found = re.findall(r"(?:^ *output: ([^,\s]+).*\n)?^ *log: (.+) \(check log file", log, flags=re.MULTILINE)
    return [(output or None, logs.split(", ")) for output, logs in found]


def was_stopped(log: str) -> bool:
    """Whether a run, by the text of its log, was told to end: by Ctrl-C, or by SIGTERM."""
    return "Terminating processes on user request" in log or "Will exit after finishing currently running jobs" in log
