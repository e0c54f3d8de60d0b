"""What every job that trains or prunes a network starts from: threads, device, clips, and the state that it left."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from channel_sparsity.networks import build
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import output_areas
from channel_sparsity.networks.saving import load_weights
from channel_sparsity.training.device import device_of
from channel_sparsity.training.features import Subset, load_subsets
from channel_sparsity.training.fit import seeded
from channel_sparsity.training.state import State, identity

#: The parameters that decide a job's bits, and the inputs, with what a log calls them. The metrics stand for the
#: weights and the manifest for the store, whose digests they hold.
PARAMETERS = ("code", "settings", "recipe", "shape")
INPUTS = {"metrics": "trained network", "manifest": "data set", "split": "split", "normalisation": "normalisation"}


@dataclass(frozen=True)
class Setup:
    """One network of a study, `name`, in its `shape` (see `networks.build`), and what it is trained or pruned with.

    `seed`: that of its training. `train`, `validation` and the `scenes` that their labels count lie on `device`.
    `state`: how far an earlier run of the same job came; None for a job that keeps none.
    """

    name: str
    seed: int
    shape: Mapping[str, float]
    device: torch.device
    train: Subset
    validation: Subset
    scenes: list[str]
    state: State | None = None

    def untrained(self) -> Network:
        """The network as initialised by (`seed`, `name`) alone, whatever it is to be trained for.

        StudyError if it cannot take clips as small as the study's.
        """
        with seeded(self.seed, self.name, "initialisation"):
            network = build(self.name, len(self.scenes), **self.shape)
        output_areas(network, *self.train.logmel.shape[1:])  # StudyError before anything is learnt
        return network.to(self.device, memory_format=torch.channels_last)

    def trained(self, weights: str | Path) -> Network:
        """The network with the weights of a file; StudyError if they cannot be loaded."""
        network = load_weights(build(self.name, len(self.scenes), **self.shape), weights)
        return network.to(self.device, memory_format=torch.channels_last)


def set_up(files: Mapping, parameters: Mapping, cell: Mapping, folder: Path | None = None) -> Setup:
    """What a job computes with, from the inputs and parameters of its rule, by their names there.

    `files`: ``store``, ``split`` and ``normalisation``. `parameters`: ``settings`` (`training` of the configuration),
    ``device`` and ``shape``. `cell`: ``network`` and ``seed``, and what else tells the job from others of its rule.
    Where the job keeps its state in a `folder`, all of `INPUTS` and `PARAMETERS` that there are decide its bits, and
    ``state_seconds`` how often it is written.
    """
    torch.set_num_threads(parameters["settings"]["threads"])
    device = device_of(parameters["device"])
    state = None
    if folder is not None:
        decides = {name: parameters[name] for name in PARAMETERS if name in parameters} | {"cell": dict(cell)}
        read = {words: files[name] for name, words in INPUTS.items() if name in files}
        state = State(folder, identity(device, decides, read), parameters["state_seconds"])
    subsets = load_subsets(files["store"], files["split"], files["normalisation"], device)
    return Setup(cell["network"], int(cell["seed"]), parameters["shape"], device, *subsets, state)
