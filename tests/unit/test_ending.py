"""What the terminal says last."""

from channel_sparsity.ending import failures, outcome

TABLE = """network,recipe,n,r,r_low,r_high,reason
vgg11,slimming,6,0.9291,0.47,0.992,
resnet11,ista,3,0.5,,,no interval of r at fewer than 4 points
mobilenet0.25,slimming,0,,,,"needs at least 3 points, has 0"
"""
CELLS = """network,recipe,lam,seed,ws,reason,training_status,curve_status
vgg11,slimming,0,1,0.1,,trained,traced
vgg11,slimming,1e-1,1,,training diverged: the training loss was nan in epoch 1,diverged,diverged
vgg11,ista,1e-1,1,,training diverged: the training loss was nan in epoch 1,diverged,diverged
resnet11,ista,0,1,0.1,"no knee: in fine-tuning of step 3, the training loss was inf in epoch 1",trained,diverged
resnet11,ista,1e-4,2,,WS undefined: these gammas do not differ,trained,traced
resnet11,ista,1e-5,2,0.3,no knee: flat,trained,traced
"""


def test_a_finished_study_says_its_correlations_and_where_they_are(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/correlation.csv").write_text(TABLE)
    (tmp_path / "tables/cells.csv").write_text(CELLS)
    said = outcome(tmp_path)
    assert "vgg11  slimming               r = 0.93 (0.47 to 0.99), n = 6" in said
    assert "r = 0.50, n = 3" in said and "no r: needs at least 3 points, has 0" in said
    assert f"{tmp_path}/tables" in said and f"{tmp_path}/figures" in said
    told = said.split("Went wrong, and is left out of the statistics:\n")[1].splitlines()[:-1]
    assert told == [
        "  vgg11, lambda 1e-1, seed 1: training diverged: the training loss was nan in epoch 1",
        "  resnet11, lambda 0, seed 1, ista: no knee: in fine-tuning of step 3, the training loss was inf in epoch 1",
        "  resnet11, lambda 1e-4, seed 2: WS undefined: these gammas do not differ",
    ]


def test_without_tables_nothing_is_said(tmp_path):
    assert outcome(tmp_path) == ""


def test_each_failure_is_said_once_by_its_sentence(tmp_path):
    (tmp_path / "one.log").write_text("epoch 1\nTraceback\n2026 error: a.wav cannot be read: replace it\n")
    (tmp_path / "two.log").write_text("epoch 1\n")
    lines = "    log: one.log (check log file(s) for error details)\n    log: two.log (check log file(s)\n"
    (tmp_path / "snakemake.log").write_text(lines + lines + "    log: fine.log\n")
    assert failures([tmp_path / "snakemake.log"], tmp_path).splitlines() == [
        "error: a.wav cannot be read: replace it",
        "error: a job ended without a word: see two.log",
    ]
