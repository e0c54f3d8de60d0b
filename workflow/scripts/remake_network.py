"""Write the network of one step of a pruning curve, kept or made again, if it answers as the curve's did."""

from channel_sparsity.networks.saving import save_network
from channel_sparsity.pruning.remaking import network_of_step
from channel_sparsity.training.setup import set_up
from job import job

with job(snakemake):
    files, params = dict(snakemake.input.items()), dict(snakemake.params.items())
    cell = params["cell"]
    setup = set_up(files, params, cell)
    network = network_of_step(setup, files, params["recipe"], params["settings"], float(cell["lam"]), int(cell["step"]))
    save_network(snakemake.output[0], network, setup.name, setup.shape)
