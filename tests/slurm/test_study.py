"""A study on a cluster comes out as without one, from as few jobs as it has trainings, curves, features and models."""

import re

from running import ROOT


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
    submitted = {rule: int(count) for rule, count in rows if rule not in {"total", *local_rules()}}
    # Later come two for each model that is chosen, and their timing.
    assert submitted == {"extract_archive": 16, "merge_shards": 1, "train_network": 72, "prune_network": 936}


def local_rules():
    """The rules that stay with the main process."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    text = "\n".join(path.read_text() for path in files)
    blocks = re.findall(r"^ *localrules:\n((?: +(?:\w+,|#.*)\n)+)", text, flags=re.MULTILINE)
    return set(re.findall(r"^ +(\w+),$", "".join(blocks), flags=re.MULTILINE))
