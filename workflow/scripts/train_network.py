"""Train one network at one lambda, and keep its weights, history, gammas and figures."""

from pathlib import Path

import pandas

from channel_sparsity.bookkeeping.holding import held
from channel_sparsity.files import sha256, write_csv, write_json
from channel_sparsity.networks.saving import save_weights
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import training_settings
from channel_sparsity.training.setup import set_up
from channel_sparsity.training.trained import metrics_of, train
from job import job, progress

STATE = Path(snakemake.output.metrics).with_name("state")

with job(snakemake), held(STATE) as check_hold:
    files, params, cell = (dict(each.items()) for each in (snakemake.input, snakemake.params, snakemake.wildcards))
    setup, settings = set_up(files, params, cell, STATE), training_settings(params["settings"])
    penalty = Penalty(params["settings"]["penalty"], float(cell["lam"]))
    with progress(f"{cell['network']}, lambda {cell['lam']}", settings.epochs, "epoch") as report:
        trained = train(setup, settings, penalty, report)
    metrics = metrics_of(trained, setup, settings, cell["lam"])

    check_hold()
    out = snakemake.output
    save_weights(out.weights, trained.network)
    for name, table in trained.tables().items():
        write_csv(out[name], table)
    timing = {"stage": "training", "seconds": setup.state.seconds(), "resumed": setup.state.resumed}
    write_csv(out.timing, pandas.DataFrame([timing]))
    write_json(out.metrics, metrics | {"weights_sha256": sha256(out.weights)})
    setup.state.remove()
