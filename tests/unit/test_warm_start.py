"""Scripts of jobs are forked from a server that has loaded what they need, and are otherwise as ever."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"

#: Starts the scripts that it is told as Snakemake does, and says how each ended.
DRIVER = """
import json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from snakemake.script import PythonScript
started_anew = []
PythonScript.execute_script = lambda self, fname, edit=False: started_anew.append(fname)
import warm_start
warm_start.LOADED = ["decimal"]
warm_start.install()
def ended(job):
    script = PythonScript.__new__(PythonScript)
    fname, script.conda_env = job
    script.container_img, script.env_modules = None, None
    try:
        script.execute_script(fname)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0
jobs = json.loads(sys.argv[1])
with ThreadPoolExecutor(16 if len(jobs) > 9 else 1) as threads:  # as Snakemake's jobs
    print(json.dumps([list(threads.map(ended, jobs)), started_anew]))
"""


@pytest.fixture
def run(tmp_path):
    """Run scripts, each given as text or as (text, conda environment)."""

    def ran(*scripts):
        jobs = []
        for number, script in enumerate(scripts):
            text, conda = script if isinstance(script, tuple) else (script, None)
            path = tmp_path / f"{number}.py"
            path.write_text(dedent(text))
            jobs.append([str(path), conda])
        command = [sys.executable, "-c", DRIVER, json.dumps(jobs)]
        done = subprocess.run(
            command, cwd=tmp_path, env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True, text=True, check=True
        )
        return *json.loads(done.stdout.splitlines()[-1]), done.stderr

    return ran


def test_a_script_is_the_main_module_of_a_fresh_process_with_everything_loaded(run, tmp_path):
    ended, anew, _ = run(
        """
        import os, sys
        assert __name__ == "__main__" and "decimal" in sys.modules and "first" not in globals()
        first = True
        open("pid", "a").write(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}\\n")
        """,
        "assert 'first' not in globals(); import os; open('pid', 'a').write(f'{os.getpid()} 1\\n')",
    )
    assert (ended, anew) == ([0, 0], [])
    lines = (tmp_path / "pid").read_text().split()
    assert lines[1::2] == ["1", "1"] and lines[0] != lines[2]


def test_how_a_script_ends_is_how_its_job_ends(run):
    ended, _, said = run(
        "import sys; sys.exit(3)", "1 / 0", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "pass"
    )
    assert ended == [3, 1, -9, 0], "and a killed job does not take the server with it"
    assert "ZeroDivisionError" in said


def test_processes_of_a_script_import_it_again(run):
    ended, _, said = run(
        """
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        def double(number):
            return 2 * number
        if __name__ == "__main__":
            with ProcessPoolExecutor(2, get_context("spawn")) as pool:
                assert list(pool.map(double, [1, 2])) == [2, 4]
        """
    )
    assert ended == [0], said


def test_jobs_that_start_and_end_at_once_do_not_disturb_each_other(run):
    ended, _, said = run(*["pass"] * 600)
    assert ended == [0] * 600, said


def test_a_conda_environment_starts_its_own_python(run):
    ended, anew, _ = run(("raise AssertionError", "env"))
    assert ended == [0] and len(anew) == 1
