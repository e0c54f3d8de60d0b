"""A study on a cluster comes out as without one, from as few jobs as it has trainings, curves, features and models."""

from rules_for_tests import rules_of


def test_the_study_runs_from_end_to_end(cluster, fresh, expected):
    fresh.start("deploy").must_succeed()
    assert fresh.results() == expected.results()
    jobs = [job for job in cluster.jobs("COMPLETED") if job["folder"] == str(fresh.folder)]
    # A model is chosen when the tables are there: the best one within the budget, since neither cell has a knee.
    assert sorted(job["comment"].split("_wildcards")[0] for job in jobs) == [
        "rule_export_model",
        "rule_extract_features",
        *["rule_prune_network"] * 2,
        "rule_remake_network",
        "rule_synthesise_scenes",
        "rule_time_models",
        *["rule_train_network"] * 2,
    ]
    assert not any("gpu:" in cluster.request(job) for job in jobs)


def test_the_papers_study_takes_about_a_thousand_jobs(fresh):
    said = fresh.start("all", "-n", "--quiet", "rules", configfiles=()).must_succeed()
    rows = [row.split() for row in said.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]]
    rules = rules_of()
    submitted = {rule: int(count) for rule, count in rows if rule != "total" and rules[rule]["submitted"]}
    # Later come two for each model that is chosen, and their timing.
    assert submitted == {"extract_archive": 16, "merge_shards": 1, "train_network": 72, "prune_network": 936}
