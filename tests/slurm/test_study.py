"""A study on a cluster comes out as without one."""


def test_the_study_runs_from_end_to_end(fresh, expected):
    fresh.start().must_succeed()
    assert fresh.results() == expected.results()
