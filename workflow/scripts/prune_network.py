"""Trace the pruning curve of one trained network by one recipe."""

import shutil
from pathlib import Path

from channel_sparsity.bookkeeping.holding import held
from channel_sparsity.files import StudyError, read_json, write_csv, write_json
from channel_sparsity.pruning.curve import plan_of
from channel_sparsity.pruning.traced import prune, weights_of_step
from channel_sparsity.training.setup import set_up
from job import job, progress

STATE = Path(snakemake.output.curve).with_name("state")

with job(snakemake), held(STATE) as check_hold:
    files, params, cell = (dict(each.items()) for each in (snakemake.input, snakemake.params, snakemake.wildcards))
    out, metrics, lam = dict(snakemake.output.items()), read_json(files["metrics"]), cell["lam"]
    setup = set_up(files, params, cell, STATE)
    told = {"lam": float(lam), "name": setup.name, "seed": setup.seed, "train": setup.train}
    plan = plan_of(params["recipe"], params["settings"], **told)
    # What is under way lies with the state: before a job begins, Snakemake deletes its outputs.
    steps = STATE / "steps" if "steps" in out else None
    planned_steps = len(plan.schedule.counts(metrics["channels"]))
    with progress(f"{setup.name}, lambda {lam}, {cell['recipe']}", planned_steps, "step") as report:
        traced = prune(setup.trained(files["weights"]), plan, setup, metrics, report, steps)

    check_hold()
    for name, table in traced.tables().items():
        write_csv(out[name], table)
    traced.write_predictions(out["predictions"], setup)
    write_json(out["control"], traced.outcome())
    if steps is not None:
        if not all(weights_of_step(steps, row["step"]).is_file() for row in traced.rows):
            raise StudyError(f"networks were deleted from {steps} while they were kept there: run again")
        shutil.rmtree(out["steps"], ignore_errors=True)
        steps.rename(out["steps"])
    setup.state.remove()
