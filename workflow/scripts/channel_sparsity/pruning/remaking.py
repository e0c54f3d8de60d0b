"""The network of one step of a finished pruning curve, and whether it answers as the curve's did."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import torch

from channel_sparsity.files import StudyError, read_csv
from channel_sparsity.networks import build
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.saving import load_weights
from channel_sparsity.pruning.curve import plan_of, remake
from channel_sparsity.pruning.padding import padded
from channel_sparsity.pruning.traced import weights_of_step
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import predict
from channel_sparsity.training.setup import Setup

#: Another processor may round log-probabilities otherwise; those of a network trained otherwise are much further off.
TOLERANCE = 1e-4


def network_of_step(setup: Setup, files: Mapping, recipe: Mapping, training: Mapping, lam: float, step: int) -> Network:
    """The network of step `step` of a curve: as the curve kept it, or made again from the trained network.

    `files` by the names of a rule's inputs: ``steps``, the folder of the kept ones, if there is one, and ``widths``;
    else ``weights``, those of the training; and ``predictions`` and ``curve``. `recipe`: the settings of pruning;
    `training`: those of the configuration. StudyError if the network does not answer as ``predictions`` says.
    """
    if "steps" in files:
        widths = read_csv(files["widths"]).query("step == @step").set_index("layer")["channels"].to_dict()
        network = build(setup.name, len(setup.scenes), **setup.shape, widths=widths)
        network = load_weights(network, weights_of_step(files["steps"], step)).to(setup.device)
    else:
        plan = plan_of(recipe, training, lam=lam, name=setup.name, seed=setup.seed, train=setup.train)
        network = remake(setup.trained(files["weights"]), plan, step)
    if not answers_as_recorded(network, setup.validation, files["predictions"], step, setup.untrained()):
        raise StudyError(
            f"the network of step {step} does not answer as {files['predictions']} says, so this machine computes "
            f"other bits than that which traced the curve: run where it ran, or delete {files['curve']} and run again"
        )
    return network


def answers_as_recorded(
    network: Network, validation: Subset, predictions: str | Path, step: int, unpruned: Network
) -> bool:
    """Whether a network gives every validation clip the class and probability that the step of the curve of `unpruned`
    gave it."""
    best = predict(padded(network, unpruned), validation).cpu().max(dim=1)
    with h5py.File(predictions, "r", locking=False) as file:
        scene, log_probability = (torch.from_numpy(file[key][step]) for key in ("scene", "log_probability"))
    same = torch.allclose(best.values, log_probability, atol=TOLERANCE, rtol=0)
    return same and torch.equal(best.indices, scene.to(best.indices.dtype))
