"""One made-up study for all tests of the report."""

import pytest
from made_up_study import MadeUp, configuration


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    """A study with an excluded, a censored and a kneeless cell; its figures are empty."""
    return MadeUp(tmp_path_factory.mktemp("made-up"), configuration(), drawn=False)
