"""When the jobs of a run of Snakemake began and ended, from its log."""

import re
from pathlib import Path

import pandas

STAMP = r"^\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\]\n"
BEGUN = re.compile(STAMP + r"Job (\d+): ", flags=re.MULTILINE)
ENDED = re.compile(STAMP + r"Finished jobid: (\d+) \(Rule: (\w+)\)", flags=re.MULTILINE)


def jobs_of(log: str | Path) -> pandas.DataFrame:
    """The finished jobs with a message: `rule`, `began` and `ended` (to the second)."""
    text = Path(log).read_text(encoding="utf-8")
    began = {job: when for when, job in BEGUN.findall(text)}
    rows = [
        {"rule": rule, "began": began[job], "ended": when} for when, job, rule in ENDED.findall(text) if job in began
    ]
    jobs = pandas.DataFrame(rows)
    for column in ("began", "ended"):
        jobs[column] = pandas.to_datetime(jobs[column], format="%a %b %d %H:%M:%S %Y")
    return jobs


def stages_of(jobs: pandas.DataFrame) -> pandas.DataFrame:
    """For each rule: its jobs, the seconds that they took together, and when the first began and the last ended."""
    began = jobs["began"].min()
    taken = jobs.assign(
        seconds=(jobs["ended"] - jobs["began"]).dt.total_seconds(),
        first_s=(jobs["began"] - began).dt.total_seconds(),
        last_s=(jobs["ended"] - began).dt.total_seconds(),
    )
    stages = taken.groupby("rule", sort=False).agg(
        jobs=("rule", "size"), seconds=("seconds", "sum"), first_s=("first_s", "min"), last_s=("last_s", "max")
    )
    return stages.sort_values("first_s").reset_index()
