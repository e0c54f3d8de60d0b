"""A job says what it runs on."""

import platform
from importlib.metadata import version

from channel_sparsity.machine import described, installed, machine


def test_one_line_says_machine_and_versions():
    line = described()
    assert "\n" not in line
    assert f"python {platform.python_version()}, torch {version('torch')}" in line
    assert str(machine()["cpu"]) in line and machine()["cores"] >= 1


def test_a_package_that_is_not_there_has_no_version():
    assert installed("no-such-package") is None
