"""The real DAG: what it makes, what it makes again, and what it leaves alone."""

import json
import math
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import pandas
import pytest
import yaml
from conftest import PRUNE, TINY_BLOCK, TRAIN

from channel_sparsity.files import sha256

CLASSIFY = Path(__file__).parents[2] / "workflow/scripts/channel_sparsity/classify.py"
RECORD = {"record_digests", "record_provenance"}


def test_a_run_makes_what_the_contract_names(finished):
    expected = {
        "results/tiny/deploy": [
            *("models.csv", "budget.safetensors", "budget.onnx", "budget-int8.onnx"),
            *("budget.json", "budget.md", "timing.csv"),
        ],
        "data/tiny": ["clips.csv", "logmel.h5", "manifest.json", "findings.csv", "report.json", "report.md"],
        "results/tiny": ["split.csv", "normalisation.json", "report.html", "provenance.json", "run.json"],
        TRAIN: [
            "weights.safetensors",
            "history.csv",
            "timing.csv",
            "gammas.csv",
            "metrics.json",
            "sparsity.json",
        ],
        PRUNE: ["curve.csv", "widths.csv", "timing.csv", "predictions.h5", "knee.json"],
        "results/tiny/tables": [
            f"{table}.{form}"
            for table in (
                *("cells", "correlation", "regression", "comparisons", "paper", "claims"),
                *("measures", "outcomes", "criteria", "readings", "front"),
            )
            for form in ("csv", "html", "json")
        ],
        "results/tiny/figures": [
            f"{figure}.{form}"
            for figure in ("gammas", "pruning_curves", "ws_vs_pk", "repair", "measures", "readings", "accuracy_cost")
            for form in ("svg", "png")
        ],
    }
    for folder, names in expected.items():
        for name in names:
            assert (finished.work / folder / name).stat().st_size > 0, f"{folder}/{name}"


def test_the_tables_hold_every_cell(finished):
    cells = pandas.read_csv(finished.work / "results/tiny/tables/cells.csv", dtype={"lam": str})
    keys = set(zip(cells["network"], cells["recipe"], cells["lam"], strict=True))
    assert keys == {
        (network, recipe, lam)
        for lam in ("0", "1e-2")
        for network, recipe in (
            ("vgg11", "slimming-statistics"),
            ("vgg11", "slimming"),
            ("vgg11", "random-statistics"),
            ("vgg11", "taylor-cut"),
            ("resnet11", "ista"),
            ("resnet11", "slimming-once"),
            ("mobilenet0.25", "slimming-statistics"),
            ("mobilenet0.25", "slimming"),
        )
    }
    made_of = cells.groupby("recipe")[["criterion", "repair"]].agg(lambda values: " ".join(values.unique()))
    assert made_of.loc["random-statistics"].tolist() == ["random", "statistics"]
    assert made_of.loc["slimming-once"].tolist() == ["slimming-once", "full"]
    assert (cells["included"] | cells["reason"].notna()).all(), "an excluded cell has its reason"
    curve = pandas.read_csv(finished.work / PRUNE / "curve.csv")
    assert curve["channel_rate"].tolist()[0] == 0 and curve["channel_rate"].iloc[-1] > 0.79
    assert (curve["macs"].diff().dropna() < 0).all(), "each step is cheaper than the one before"
    start = curve["accuracy"].iloc[0]
    assert (curve["accuracy_loss"] - (start - curve["accuracy"])).abs().max() < 1e-12


def test_the_dose_of_repair_is_what_follows_each_step(finished):
    """The first step of Slimming cuts the same channels at every dose; what is then predicted differs."""

    def folder(recipe):
        return finished.work / PRUNE.replace("slimming", recipe)

    def predicted(recipe):
        with h5py.File(folder(recipe) / "predictions.h5", "r", locking=False) as file:
            return file["log_probability"][:]

    before, after = "accuracy_before_finetuning", "accuracy"
    cut, statistics, full = (
        pandas.read_csv(folder(recipe) / "curve.csv") for recipe in ("taylor-cut", "slimming-statistics", "slimming")
    )
    assert cut[before].equals(cut[after])
    assert statistics[before][1] == full[before][1]
    one, other = predicted("slimming-statistics"), predicted("slimming")
    assert (one[0] == other[0]).all() and (one[1] != other[1]).any()
    controls = [
        json.loads((folder(recipe) / "control.json").read_text())["accuracy_unpruned_finetuned"]
        for recipe in ("taylor-cut", "random-statistics", "slimming-statistics", "slimming")
    ]
    assert controls[0] is None and None not in controls[1:]
    assert controls[1] == controls[2], "statistics do not go by the order in which channels go"


def test_a_table_leads_back_to_its_files(finished):
    record = json.loads((finished.work / "results/tiny/tables/cells.json").read_text())
    assert record["sha256"] == sha256(finished.work / "results/tiny/tables/cells.csv")
    assert len(record["made_from"]) == 6 + 6 + 16 + 16 + 16
    assert {"train_network", "prune_network", "find_knee"} <= record["code"].keys()
    assert record["code"]["analysis_plan"] == sha256(finished.code / "docs/analysis-plan.md")
    for name, digest in record["made_from"].items():
        assert sha256(finished.work / name) == digest
    metrics = json.loads((finished.work / TRAIN / "metrics.json").read_text())
    assert metrics["weights_sha256"] == sha256(finished.work / TRAIN / "weights.safetensors")


def test_the_terminal_shows_where_the_run_is(finished):
    said = finished.stdout + finished.stderr
    assert "Training vgg11 at lambda 1e-2, seed 1" in said
    assert re.search(r"(\d+) of \1 steps \(100%\) done", said)
    log = (finished.work / TRAIN / "train.log").read_text()
    assert "epoch 1 of" in log


def test_a_second_run_does_nothing_also_after_every_file_was_touched(study):
    assert study.planned() == {}
    files = [*study.work.glob("data/**/*"), *study.work.glob("results/**/*"), *study.code.rglob("*")]
    random.Random(1).shuffle(files)
    for file in files:
        file.touch()
    assert study.planned() == {}


def test_what_an_edit_of_the_code_reruns(study):
    """From the last stage to the first, so that each edit adds what follows from it to what the others rerun."""
    library = "workflow/scripts/channel_sparsity"
    stages = ["list_clips", "extract_features", "split_clips", "train_network", "prune_network", "find_knee"]

    def after(name, old, new):
        study.edit(name, old, new)
        return study.planned()

    # What says something to readers only, the lock, and a source that the study does not have.
    study.edit(f"{library}/training/fit.py", '"""Sparse training', '# Read the paper first.\n"""Sparse training')
    study.edit("workflow/scripts/job.py", "error: {error}", "error:  {error}")
    study.edit("envs/requirements.txt", "safetensors==", "# another\nsafetensors==")
    source = "from channel_sparsity.data.sources import DataSource\n\n\nclass Source(DataSource):\n    pass\n"
    (study.code / library / "data/sources/mine.py").write_text(source)
    assert study.planned() == {}

    planned = after(f"{library}/figures/paper.py", "margins(y=0.1)", "margins(y=0.2)")
    assert planned == {"draw_figures": 1, "write_report": 1, **dict.fromkeys(RECORD, 1)}
    planned = after("docs/analysis-plan.md", "# Analysis plan", "# The analysis plan")
    assert {"make_tables", "compare_measures", "write_report", *RECORD} <= planned.keys()
    assert planned.keys().isdisjoint({"measure_sparsity", *stages})
    study.edit("docs/analysis-plan.md", "# The analysis plan", "# Analysis plan")
    planned = after(f"{library}/naming.py", '"VGG"', '"Vgg"')
    assert "make_tables" in planned and planned.keys().isdisjoint(stages)
    planned = after(f"{library}/measuring/knee.py", "_DECIMALS = 12", "_DECIMALS = 11")
    assert "find_knee" in planned and planned.keys().isdisjoint(stages[:-1])
    planned = after(f"{library}/pruning/methods/ista.py", ".detach().abs() / costs", ".abs().detach() / costs")
    assert planned["prune_network"] == 2, "one method's file, and no other method"
    planned = after(f"{library}/networks/vgg.py", "names[1:]", "names[1:][:]")
    assert (planned["train_network"], planned["prune_network"]) == (2, 10), "one network's file, and no other network"
    planned = after(f"{library}/pruning/selection.py", "sorted(ranked)", "sorted(ranked)[:]")
    assert (planned["train_network"], planned["prune_network"]) == (2, 16)
    planned = after(f"{library}/training/penalty.py", "or self.lam == 0:", "or self.lam <= 0:")
    assert planned["train_network"] == 6
    assert planned.keys().isdisjoint({"synthesise_scenes", *stages[:3]})
    assert "list_clips" in after(f"{library}/data/audio.py", "import soundfile", "import soundfile as soundfile")


def test_what_a_changed_setting_reruns(study):
    drawn = {"draw_figures", "draw_alternatives", "write_report"}
    analysis = {"make_tables", "compare_measures", "vary_readings"} | drawn | RECORD
    analysis |= {"make_front", "draw_front", "choose_models"}
    assert study.planned(changes={"knee": {"rule": "kneed"}}).keys() == {"find_knee", *analysis}
    assert "train_network" not in study.planned(changes={"pruning": {"step": 0.4}})
    assert study.planned(changes={"equivalence": {"pk": 0.1}}).keys() == analysis
    # What says the same in other words, lines that changed places and defaults written out, and what changes no number.
    same = {"training": {"momentum": 0.9, "learning_rate": 0.05, "epochs": 8}, "pruning": {"step_of": "original"}}
    same["datasets"] = {"tiny": {"features": dict(sorted(TINY_BLOCK["features"].items()))}}
    assert study.planned(changes=same | {"state_seconds": 1}) == {}
    more = study.planned(changes={"seeds": [1, 2], "lambdas": {"default": ["0", "1e-2", "2e-2"]}})
    assert (more["train_network"], more["prune_network"], more["find_knee"]) == (12, 32, 32), "the new cells only"


def test_single_targets_run_alone(fresh):
    assert fresh.planned(f"{PRUNE}/curve.csv") == {
        "synthesise_scenes": 1,
        "list_clips": 1,
        "extract_features": 1,
        "split_clips": 1,
        "train_network": 1,
        "prune_network": 1,
    }
    assert fresh.planned("dataset") == {
        "synthesise_scenes": 1,
        "list_clips": 1,
        "extract_features": 1,
        "report_dataset": 1,
    }


def test_the_data_set_is_described_on_the_terminal(finished):
    said = finished.stderr
    assert "tiny: 72 clips, 0.0 hours: 3 scenes of 24 clips, 12 locations in 2 cities, devices a" in said
    assert "look at: fewer than 3 locations" not in said


def test_a_study_is_estimated_from_its_configuration_alone(fresh):
    said = fresh.snakemake("estimate").stderr
    assert re.search(r"^in all: .* on 2 cores \(the longest job ", said, flags=re.MULTILINE)
    made = {path.name for path in (fresh.work / "results/tiny").glob("*") if path.suffix != ".sha256"}
    assert made == {"estimate.csv", "estimate.json", "logs"}
    assert not (fresh.work / "data").exists()
    estimate = json.loads((fresh.work / "results/tiny/estimate.json").read_text())
    assert (estimate["clips_train"], estimate["clips_validation"]) == (50, 22)
    assert estimate["speeds"].keys() == {"vgg11", "resnet11", "mobilenet0.25"}
    assert fresh.planned("estimate") == {}
    assert fresh.planned("estimate", changes={"training": {"epochs": 9}}) == {"estimate_study": 1}
    fresh.snakemake("features")
    one_more = {"networks": [*estimate["speeds"], "vgg13"]}
    assert fresh.planned("checkpoints", changes=one_more)["train_network"] == 8, "also what was not estimated"


def test_lambdas_are_proposed_only_when_asked_for(study):
    assert study.planned("propose_lambdas") == {"propose_grid": 3}
    proposal = study.work / "results/tiny/proposal"
    snippet = proposal / "vgg11.yaml"
    said = study.snakemake(snippet.relative_to(study.work), changes={"proposal": {"epochs": 2, "levels": 3}})
    proposed = yaml.safe_load(snippet.read_text())["lambdas"]["vgg11"]
    assert f"Proposed lambdas for vgg11: {json.dumps(proposed)}" in said.stdout
    assert proposed[0] == "0" and len(proposed) <= 3
    trials = pandas.read_csv(proposal / "vgg11.csv")
    assert trials["shrinkage"].is_monotonic_increasing
    # Eight epochs at 0.05: a tenth of it from half on, a hundredth from three quarters on.
    steps = math.ceil(json.loads((study.work / TRAIN / "metrics.json").read_text())["clips_train"] / 8)
    penalised = trials[trials["shrinkage"] > 0]
    sum_of_rates = penalised["shrinkage"] / penalised["lambda_in_study"]
    assert sum_of_rates.to_numpy() == pytest.approx(0.05 * steps * (4 + 2 * 0.1 + 2 * 0.01))
    study.snakemake("-n", changes=yaml.safe_load(snippet.read_text()))


def test_a_word_of_the_report_writes_the_report_again(study):
    caption = "workflow/report/ws_vs_pk.rst"
    study.edit(caption, "A mark each cell", "One mark each cell")
    # Snakemake's own report has the caption from the rule; nothing is drawn anew.
    assert study.planned() == {"write_report": 1}
    study.snakemake("report")
    assert "One mark each cell" in (study.work / "results/tiny/report.html").read_text(encoding="utf-8")


def test_snakemakes_own_report_shows_tables_and_figures_with_captions(study):
    archive = study.work.parent / "own.zip"
    study.snakemake("--report", archive)
    with zipfile.ZipFile(archive) as file:
        names = {name.rsplit("/", 1)[-1] for name in file.namelist()}
        page = file.read("own/report.html").decode("utf-8")
    assert {"ws_vs_pk.svg", "correlation.html", "report.html"} <= names
    assert all(words in page for words in ("The paper's figures", "Other figures", "Tables", "The study on one page"))
    assert "A mark each cell: circles are VGGs" in page


def test_a_deleted_figure_is_drawn_again_to_the_same_bytes(study):
    figure = study.work / "results/tiny/figures/ws_vs_pk.svg"
    before = figure.read_bytes()
    figure.unlink()
    study.snakemake(figure.relative_to(study.work))
    assert figure.read_bytes() == before


def test_the_same_study_gives_the_same_bytes_in_another_order(finished, fresh):
    fresh.snakemake("dataset", "tables", "--cores", "1")
    folders = ("data/tiny", "results/tiny/train", "results/tiny/prune", "results/tiny/tables")
    ours, theirs = fresh.files(*folders), finished.files(*folders)
    assert ours.keys() == theirs.keys() and len(ours) > 100
    differing = [str(path) for path in ours if path.name != "timing.csv" and ours[path] != theirs[path]]
    assert differing == []


def test_a_tiny_lambda_changes_next_to_nothing_so_what_is_drawn_is_shared(finished, fresh):
    """Initialisation and order of clips depend on (network, seed) alone: lambda 1e-99 is lambda 0 to the bit."""
    target = TRAIN.replace("lambda-0", "lambda-1e-99")
    fresh.snakemake(f"{target}/gammas.csv", changes={"lambdas": {"default": ["0", "1e-99"]}})
    for name in ("gammas.csv", "history.csv", "weights.safetensors"):
        theirs = (finished.work / TRAIN / name).read_bytes()
        assert (fresh.work / target / name).read_bytes() == theirs
    once, ista = (
        (finished.work / f"results/tiny/prune/{recipe}/resnet11/lambda-0/seed-1/control.json").read_bytes()
        for recipe in ("slimming-once", "ista")
    )
    assert once == ista, "recipes share the order of clips in fine-tuning"


def test_a_finished_study_stands_beside_this_one(study):
    table = "results/{}/tables/readings.csv"
    own = (study.work / table.format("tiny")).read_text()
    other = study.work / table.format("other")
    other.parent.mkdir(parents=True)
    other.write_text(own.replace(",tiny,", ",other,"))
    study.snakemake(table.format("tiny"), changes={"beside": ["other"]})
    both = pandas.read_csv(study.work / table.format("tiny"))
    assert both["study"].value_counts().to_dict() == {"tiny": own.count("\n") - 1, "other": 2}
    assert set(both.loc[both["study"] == "other", "reading"]) == {"study: other"}
    record = json.loads((study.work / table.format("tiny").replace("csv", "json")).read_text())
    assert record["made_from"][table.format("other")] == sha256(other)


def test_the_model_for_a_budget_is_the_step_that_its_card_names(study):
    """A tight budget takes a step that has to be made again; files and card are the same when they are made again."""
    changes = {"deploy": {"budget": {"parameter_bytes": 14_000, "macs_per_second": 30_000_000}}}
    deploy = study.work / "results/tiny/deploy"
    target = "results/tiny/deploy/budget.json"
    study.snakemake(target, changes=changes)
    card = json.loads((deploy / "budget.json").read_text())
    made, size = card["made"], card["size"]
    assert made["step"] > 0 and size["within_budget"] and size["parameters"] <= 14_000
    folder = f"results/tiny/prune/{made['recipe']}/{made['network']}/lambda-{made['lam']}/seed-{made['seed']}"
    row = pandas.read_csv(study.work / folder / "curve.csv").set_index("step").loc[made["step"]]
    assert card["accuracy"]["pytorch"] == pytest.approx(row["accuracy"])
    assert (size["parameters"], size["macs"]) == (row["parameters"], row["macs"])
    assert card["checks"]["validation_clips"] == card["data"]["clips_validation"] > 20
    assert card["files"]["int8"]["sha256"] == sha256(deploy / "budget-int8.onnx")

    before = {path.name: path.read_bytes() for path in deploy.glob("budget*")}
    for name in before:
        (deploy / name).unlink()
    study.snakemake(target, changes=changes)
    assert {name: (deploy / name).read_bytes() for name in before} == before

    clip = sorted((study.work / "data/tiny/audio").glob("park*"))[0]
    command = [sys.executable, str(CLASSIFY), str(deploy / "budget-int8.onnx"), str(clip)]
    said = subprocess.run(command, cwd=study.code / "workflow/scripts", capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in said.stdout.splitlines()} == {"bus", "park", "street_traffic"}


def test_the_networks_of_a_curves_steps_are_its_output_where_they_are_kept(fresh):
    steps = f"{PRUNE}/steps"
    assert fresh.planned(steps, changes={"pruning": {"keep_steps": True}})["prune_network"] == 1
    assert f"There is no target {steps}" in fresh.snakemake(steps, "-n", check=False).stdout


def test_predictions_are_those_that_the_curve_counts(finished):
    with h5py.File(finished.work / PRUNE / "predictions.h5", "r", locking=False) as file:
        hits = file["scene"][:] == file["label"][:]
        rows, log_probability = file["row"][:], file["log_probability"][:]
    curve = pandas.read_csv(finished.work / PRUNE / "curve.csv")
    assert hits.mean(axis=1).tolist() == pytest.approx(curve["accuracy"].tolist())
    assert (log_probability <= 0).all()
    split = pandas.read_csv(finished.work / "results/tiny/split.csv")
    assert (split.loc[rows, "subset"] == "validation").all()
    metrics = json.loads((finished.work / TRAIN / "metrics.json").read_text())
    assert hits[0].mean() == pytest.approx(metrics["accuracy"])


def test_partial_tables_are_of_what_is_finished_and_train_nothing(study):
    (study.work / PRUNE / "knee.json").unlink()
    study.edit("workflow/scripts/channel_sparsity/training/penalty.py", "or self.lam == 0:", "or self.lam <= 0:")
    planned = study.planned("partial")
    assert "make_partial_tables" in planned and all("partial" in rule for rule in planned), planned
    target = "results/tiny/partial/tables/cells.csv"
    study.snakemake(target)
    cells = pandas.read_csv(study.work / target)
    assert len(cells) == 15 and (cells["curve_status"] == "traced").any()
    page = (study.work / target).with_suffix(".html").read_text()
    assert "PARTIAL: 6 of 6 trainings and 15 of 16 curves are finished" in page
    assert study.planned(target) == {}
    shutil.rmtree(study.work / "results/tiny/prune")
    said = study.snakemake("partial", check=False)
    assert said.returncode == 1 and "no curve of results/tiny is finished yet" in said.stderr


def test_the_papers_study_is_one_dag(fresh):
    jobs = fresh.planned("--cores", "8", configfile=None)
    assert (jobs["train_network"], jobs["prune_network"], jobs["find_knee"]) == (72, 936, 936)
    assert (jobs["download_archive"], jobs["extract_archive"], jobs["merge_shards"]) == (17, 16, 1)
    assert (jobs["make_tables"], jobs["draw_figures"]) == (1, 1)


def test_files_that_were_lost_are_made_again(study):
    """All asks for every file of the study. Each of these is of another cell, so that the sums tell them apart."""
    for lost in (
        f"{PRUNE}/control.json",
        f"{PRUNE.replace('lambda-0', 'lambda-1e-2')}/knee.json",
        f"{TRAIN.replace('vgg11', 'resnet11')}/timing.csv",
        f"{TRAIN.replace('vgg11', 'mobilenet0.25')}/sparsity.json",
    ):
        (study.work / lost).unlink()
    planned = study.planned()
    # A network that is trained again is measured and pruned again, by two recipes.
    made_again = {"train_network": 1, "measure_sparsity": 1 + 1, "prune_network": 1 + 2, "find_knee": 1 + 1 + 2}
    assert planned.items() >= made_again.items()


def test_data_that_are_gone_train_nothing_again(study):
    store = study.work / "data/tiny/logmel.h5"
    store.unlink()
    assert study.planned() == {}, "nothing needs it"
    more = {"lambdas": {"default": ["0", "1e-2", "2e-2"]}}
    refused = study.snakemake(changes=more, check=False).stderr
    assert "data/tiny/logmel.h5 is gone, " in refused and "22 finished trainings and curves" in refused
    assert not store.exists()
    (study.work / "data/tiny/clips.csv").unlink()
    refused = study.snakemake(check=False).stderr
    assert "data/tiny/clips.csv and data/tiny/logmel.h5 are gone, " in refused
    assert "Run the targets `dataset features` first" in refused
    shutil.rmtree(study.work / "data/tiny")
    assert "finished trainings and curves again" in study.snakemake(check=False).stderr
    study.snakemake("dataset", "features")
    assert study.planned() == {}
    assert study.planned(changes=more)["train_network"] == 3, "those of the new lambda"


def test_a_split_that_is_gone_trains_nothing_again(study):
    lost = "results/tiny/normalisation.json"
    (study.work / lost).unlink()
    more = {"seeds": [1, 2]}
    refused = study.snakemake("-n", changes=more, check=False).stderr
    assert f"{lost} is gone, " in refused and "22 finished trainings and curves again" in refused
    assert f"Run the target {lost} first" in refused
    study.snakemake(lost)
    assert study.planned(changes=more)["train_network"] == 6, "those of the new seed"


def test_other_settings_do_not_replace_a_finished_study_unasked(study):
    before = study.files("results")
    changes = {"training": {"epochs": 9}}
    refused = study.snakemake(changes=changes, check=False)
    assert refused.returncode != 0 and study.files("results") == before
    assert "results/tiny holds a finished study with other settings (training.epochs: 8, now 9)" in refused.stderr
    assert "22 of its trainings and curves would be made anew" in refused.stderr and "overwrite=true" in refused.stderr
    assert study.planned(changes=changes | {"overwrite": True})["train_network"] == 6
    assert study.planned(changes={"overwrite": True}) == {}
