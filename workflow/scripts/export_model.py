"""Write a chosen network as ONNX, in float32 and int8, measure both, and say in a card what they are."""

import torch

from channel_sparsity.data.logmel import logmel_of
from channel_sparsity.deployment.card import markdown
from channel_sparsity.deployment.describing import card_of
from channel_sparsity.deployment.model import make_model
from channel_sparsity.files import read_json, write_bytes, write_json, write_text
from channel_sparsity.networks.saving import load_network
from channel_sparsity.training.features import load_subsets
from job import job

with job(snakemake):
    torch.set_num_threads(1)
    files, params, out = (dict(each.items()) for each in (snakemake.input, snakemake.params, snakemake.output))
    train, validation, scenes = load_subsets(files["store"], files["split"], files["normalisation"])
    network, name = load_network(files["network"], len(scenes)), snakemake.wildcards.model
    logmel = logmel_of(params["data"]["features"])
    facts = {
        "scenes": scenes,
        "sample_rate_hz": logmel.sample_rate_hz,
        "samples": logmel.samples,
        "model": name,
        "study": params["study"],
        "licence": params["data"]["licence"],
    }
    model = make_model(network, train, validation, logmel, read_json(files["normalisation"]), facts)
    for form, whole in model.files.items():
        write_bytes(out[form], whole.SerializeToString(deterministic=True))
    card = card_of(name, model, network, params, files, out)
    write_json(out["card"], card)
    write_text(out["page"], markdown(card))
