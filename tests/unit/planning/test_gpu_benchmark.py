"""The benchmark for somebody who has a GPU, run where there is none."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_it_runs_on_a_cpu_from_beginning_to_end_and_in_its_time():
    command = [sys.executable, "benchmarks/gpu.py", "--device", "cpu", "--frames", "26", "--width-scale", "0.05"]
    command += ["--networks", "mobilenet0.25", "--parts", "works", "steps", "curves", "--minutes", "60"]
    shell = os.environ | {"PYTHONPATH": "workflow/scripts", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
    for precision in ("float32", "bfloat16"):
        row = rf"\| mobilenet0\.25 \| {precision} \| yes \| yes \| yes \| ([\d.]+) \| ([\d.]+) \| 0\.0 \|"
        losses = re.search(row, run.stdout)
        assert losses and losses[1] == losses[2], run.stdout
    for row in ("cpu", "mobilenet0.25", r"mobilenet0.25 \| quarters", r"mobilenet0.25 \| multiples of 8"):
        assert re.search(rf"\| {row} \|( [\d.]+ \|)+\n", run.stdout), run.stdout
    assert "Not measured" not in run.stdout, run.stderr
    assert "benchmarks.md" not in run.stdout, "what no GPU measured is not written down"

    late = subprocess.run([*command, "--minutes", "0"], cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
    assert "Not measured" in late.stdout and "yes" not in late.stdout


def test_the_hours_are_those_of_the_papers_trainings_and_curves():
    """By a speed of which 100 epochs of 10,080 clips and 101 validations of 4,320 are an hour, without a start."""
    code = """
from gpu import configuration, hours
from channel_sparsity.planning.costs import Speed
clip_s = 3600 / (100 * 10080 + 101 * 4320)
speed = Speed("n", 0.0, (clip_s, clip_s), (clip_s, clip_s), (0.0, 1.0), (2, 1), (1, 1), 1, 1)
print(hours(dict.fromkeys(configuration("float32")["networks"], speed), "float32", 0.0))
"""
    shell = os.environ | {"PYTHONPATH": "workflow/scripts:benchmarks"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
    curves = 144 * 20 * (5 * 10080 + 2 * 4320) / (100 * 10080 + 101 * 4320)
    assert run.stdout.startswith(f"['float32', '72.0', '{curves:.0f}', '{72 + curves:.0f}', ")
