"""What the terminal says last."""

import json
import os

import pytest

from channel_sparsity.bookkeeping.ending import failures, outcome, unfinished
from channel_sparsity.files import sha256

TABLE = """network,recipe,n,r,r_low,r_high,reason
vgg11,slimming,6,0.9291,0.47,0.992,
resnet11,ista,3,0.5,,,no interval of r at fewer than 4 points
mobilenet0.25,slimming,0,,,,"needs at least 3 points, has 0"
"""
CELLS = """network,recipe,lam,seed,ws,included,reason,training_status,curve_status
vgg11,slimming,0,1,0.1,True,,trained,traced
vgg11,slimming,1e-1,1,,False,training diverged: the training loss was nan in epoch 1,diverged,diverged
vgg11,ista,1e-1,1,,False,training diverged: the training loss was nan in epoch 1,diverged,diverged
resnet11,ista,0,1,0.1,False,"no knee: in fine-tuning of step 3, the training loss was inf in epoch 1",trained,diverged
resnet11,ista,1e-4,2,,False,WS undefined: these gammas do not differ,trained,traced
resnet11,ista,1e-5,2,0.3,False,no knee: flat,trained,traced
"""
CLIPS = """filename,scene,city,location,segment,device,identifier,duration_s,sample_rate_hz,channels
audio/1.wav,bus,,x,,a,x,1,44100,1
audio/2.wav,bus,,x,,a,x,1,44100,1
audio/3.wav,tram,,y,,a,y,1,44100,1
"""
SPLIT = "filename,subset\naudio/1.wav,train\naudio/2.wav,validation\naudio/3.wav,train\n"


@pytest.fixture
def study(tmp_path, monkeypatch):
    """What `outcome` is told of a study of two trainings and two curves; write(name, text) makes its files."""
    monkeypatch.chdir(tmp_path)
    results, data = tmp_path / "results/s", tmp_path / "data/d"
    trained, pruned = ([results / kind / f"{place}.json" for place in (1, 2)] for kind in ("train", "prune"))

    def write(name, text=""):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write, [path.relative_to(tmp_path) for path in (results, data)], [trained, pruned]


def write_tables(write, knees):
    """The tables that `outcome` reads, made from the knees in these files."""
    write("results/s/tables/cells.csv", CELLS)
    write("results/s/tables/correlation.csv", TABLE)
    write("results/s/tables/correlation.json", json.dumps({"made_from": {str(knee): sha256(knee) for knee in knees}}))


def test_a_finished_study_says_its_data_its_correlations_and_where_they_are(study, tmp_path):
    write, folders, files = study
    for name, text in (
        ("data/d/clips.csv", CLIPS),
        ("results/s/split.csv", SPLIT),
        *((file, "{}") for kind in files for file in kind),
        ("results/s/figures/a.svg", ""),
        ("results/s/report.html", ""),
        ("results/s/deploy/a.onnx", ""),
    ):
        write(name, text)
    write_tables(write, files[1])
    assert outcome(*folders, *files).splitlines() == [
        "data/d: 3 clips of 2 scenes",
        "  2 clips train, 1 validate; 1 of 2 places are in both, so accuracies are those of places heard before",
        "results/s: 2 of 2 networks trained, 2 of 2 pruning curves traced",
        "Weight Skewness and Prune Knee, Pearson's r (95 % interval):",
        "         vgg11  slimming               r = 0.93 (0.47 to 0.99), n = 6",
        "      resnet11  ista                   r = 0.50, n = 3",
        " mobilenet0.25  slimming               no r: needs at least 3 points, has 0",
        "  without 5 of 6 cells (tables/cells.html says why)",
        "  of which went wrong:",
        "    vgg11, lambda 1e-1, seed 1: training diverged: the training loss was nan in epoch 1",
        "    resnet11, lambda 0, seed 1, ista: no knee: in fine-tuning of step 3, the training loss was inf in epoch 1",
        "    resnet11, lambda 1e-4, seed 2: WS undefined: these gammas do not differ",
        f"Tables to read: {tmp_path}/results/s/tables/*.html",
        f"Figures: {tmp_path}/results/s/figures/*.svg",
        f"All on one page: {tmp_path}/results/s/report.html",
        f"Models to take away: {tmp_path}/results/s/deploy",
    ]


def test_models_of_an_earlier_choice_are_named(study):
    write, folders, files = study
    for name in ("a.onnx", "a-int8.onnx", "b.onnx", "c.onnx", "c-int8.onnx"):
        write(f"results/s/deploy/{name}")
    write("results/s/deploy/models.csv", "model,status\na,chosen\nb,none\n")
    said = outcome(*folders, *files).splitlines()[-1]
    assert said == "  of an earlier choice, and not made again: b, c (delete them)"
    write("results/s/deploy/models.csv", "model,status\na,chosen\nb,chosen\nc,chosen\n")
    assert "not made again" not in outcome(*folders, *files)


def test_a_part_of_a_study_says_how_much_is_there(study, tmp_path):
    write, folders, files = study
    assert outcome(*folders, *files) == ""
    write("data/d/clips.csv", CLIPS)
    assert outcome(*folders, *files) == "data/d: 3 clips of 2 scenes"
    write("data/d/report.md")
    assert outcome(*folders, *files) == "data/d: 3 clips of 2 scenes (report.md says what is in them)"
    write(files[0][0])
    said = "results/s: 1 of 2 networks trained, 0 of 2 pruning curves traced"
    assert outcome(*folders, *files).splitlines()[-1] == said
    log = tmp_path / "snakemake.log"
    for text, why, goes_on in (
        (
            "    log: a.log (check log file(s)",
            "error: a job ended before it wrote a.log: ",
            "Once that is put right, the",
        ),
        ("Terminating processes on user request, this", "The run was stopped. Jobs under way go on from", "The"),
    ):
        log.write_text(f"{text}\n")
        first, *rest = unfinished([log], tmp_path, folders[0], *files).splitlines()
        assert first.startswith(why)
        assert rest == [said, f"{goes_on} same command goes on with what is missing."]


def test_tables_of_other_curves_are_not_taken_for_their_result(study):
    """Whatever the time stamps: Snakemake makes no table again from a knee that came out the same."""
    write, folders, files = study
    knee = write(files[1][0])
    write_tables(write, [knee])
    os.utime(knee, (2e9, 2e9))
    assert "r = " in outcome(*folders, *files)
    os.utime(write(files[1][0], "another"), (1, 1))
    assert "tables are of other pruning curves" in outcome(*folders, *files)
    assert "r = " not in outcome(*folders, *files)
    write(files[1][0])
    write(files[1][1])
    assert "tables are of other pruning curves" in outcome(*folders, *files), "one curve more"


def test_partial_tables_are_named_while_there_are_no_others(study, tmp_path):
    write, folders, files = study
    write("results/s/partial/tables/cells.csv")
    said = f"Tables and figures of what is finished: {tmp_path}/results/s/partial"
    assert outcome(*folders, *files) == said
    write_tables(write, [])
    assert said not in outcome(*folders, *files)


def test_each_failure_is_said_once_by_its_sentence(tmp_path):
    (tmp_path / "one.log").write_text("epoch 1\nTraceback\n2026 error: a.wav cannot be read: replace it\n")
    (tmp_path / "two.log").write_text("epoch 1\n")
    lines = "    log: one.log (check log file(s) for error details)\n    log: two.log (check log file(s)\n"
    (tmp_path / "snakemake.log").write_text(lines + lines + "    log: fine.log\n")
    assert failures((tmp_path / "snakemake.log").read_text(), tmp_path).splitlines() == [
        "error: a.wav cannot be read: replace it",
        "error: a job was killed, or could not write its log: see two.log",
    ]


@pytest.mark.parametrize("empty", [True, False])
def test_a_job_that_died_before_its_log_was_open_is_said_to(tmp_path, empty):
    """`import torch` fails where memory is limited, say."""
    if empty:
        (tmp_path / "one.log").touch()
    (tmp_path / "snakemake.log").write_text("    log: one.log (check log file(s) for error details)\n")
    said = failures((tmp_path / "snakemake.log").read_text(), tmp_path)
    assert said.startswith("error: a job ended before it wrote one.log: what it printed above says why.")
    assert "too little memory" in said


def test_on_a_cluster_what_killed_a_job_is_in_the_systems_log(tmp_path):
    (tmp_path / "own.log").write_text("error: it is held by process 7\n")
    (tmp_path / "cut.log").write_text("epoch 1\n")
    (tmp_path / "again.log").write_text("epoch 1\n")
    (tmp_path / "again.csv").write_text("")
    (tmp_path / "1.log").write_text("epoch 1\nslurmstepd: error: *** JOB 1 CANCELLED DUE TO TIME LIMIT ***\n")
    blocks = [
        f"    output: {name}.csv, b\n    log: {name}.log, {tmp_path}/1.log (check" for name in ("own", "cut", "again")
    ]
    blocks.append("    log: cut.log, 2.log (check")
    (tmp_path / "snakemake.log").write_text("".join(f"{block} log file(s) for error details)\n" for block in blocks))
    assert failures((tmp_path / "snakemake.log").read_text(), tmp_path).splitlines() == [
        "error: it is held by process 7",
        "error: *** JOB 1 CANCELLED DUE TO TIME LIMIT *** (cut.log)",
        "error: a job was killed, or could not write its log: see cut.log",
    ]
