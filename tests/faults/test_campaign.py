"""Ten faults drawn at random, at every change: the right numbers or one error. `campaign.py` does a hundred."""

import subprocess
import sys
from pathlib import Path

import pytest

FAULTS, SEED = 10, 1


@pytest.mark.faults
def test_a_broken_study_comes_out_right():
    campaign = Path(__file__).with_name("campaign.py")
    done = subprocess.run(
        [sys.executable, campaign, "--faults", str(FAULTS), "--seed", str(SEED)],
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| all | {FAULTS} |" in done.stdout
