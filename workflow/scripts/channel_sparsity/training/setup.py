"""What every job that trains or prunes a network starts from: threads, device, clips, and the state that it left."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import output_areas
from channel_sparsity.networks.saving import load_weights
from channel_sparsity.training.device import device_name, device_of
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
    `state`: how far an earlier run of the same job came; None for a job that keeps none. `batch_sizes`: of its training
    and of every fine-tuning that is to come.
    """

    name: str
    seed: int
    shape: Mapping[str, float]
    device: torch.device
    train: Subset
    validation: Subset
    scenes: list[str]
    state: State | None = None
    batch_sizes: Sequence[int] = ()

    def untrained(self) -> Network:
        """The network as initialised by (`seed`, `name`) alone, whatever it is to be trained for.

        StudyError if it cannot learn from clips as small as the study's, or not in batches of `batch_sizes`.
        """
        with seeded(self.seed, self.name, "initialisation"):
            network = build(self.name, len(self.scenes), **self.shape)
        return self._checked(network).to(self.device, memory_format=torch.channels_last)

    def trained(self, weights: str | Path) -> Network:
        """The network with the weights of a file; StudyError if they cannot be loaded, or as `untrained` says."""
        network = load_weights(build(self.name, len(self.scenes), **self.shape), weights)
        return self._checked(network).to(self.device, memory_format=torch.channels_last)

    def _checked(self, network: Network) -> Network:
        """A network that can learn from the study's clips; StudyError, before anything is learnt, if it cannot."""
        bands, frames = self.train.logmel.shape[1:]
        areas = output_areas(network, bands, frames)
        # A normalisation needs two values of a channel: a batch of one clip has one where the map is 1 x 1.
        single = [size for size in self.batch_sizes if len(self.train) % size == 1]
        if single and any(areas[norm] == 1 for channels in network.channels for norm in channels.norms):
            raise StudyError(
                f"{self.name} cannot learn from a last batch of one clip ({len(self.train)} training clips in batches "
                f"of {single[0]}), since its last map of {bands} bands x {frames} frames is one value: "
                "choose another `batch_size`"
            )
        return network


def set_up(files: Mapping, parameters: Mapping, cell: Mapping, folder: Path | None = None) -> Setup:
    """What a job computes with, from the inputs and parameters of its rule, by their names there.

    `files`: ``store``, ``split`` and ``normalisation``. `parameters`: ``settings`` (`training` of the configuration),
    ``device``, ``shape`` and, where anything is to be learnt, ``batch_sizes`` by network. `cell`: ``network`` and
    ``seed``, and what else tells the job from others of its rule. Where the job keeps its state in a `folder`, all of
    `INPUTS` and `PARAMETERS` that there are decide its bits, and ``state_seconds`` how often it is written.
    """
    torch.set_num_threads(parameters["settings"]["threads"])
    device = device_of(parameters["device"])
    logging.info("computes on %s", device_name(device))
    state = None
    if folder is not None:
        decides = {name: parameters[name] for name in PARAMETERS if name in parameters} | {"cell": dict(cell)}
        read = {words: files[name] for name, words in INPUTS.items() if name in files}
        state = State(folder, identity(device, decides, read), parameters["state_seconds"])
    subsets = load_subsets(files["store"], files["split"], files["normalisation"], device)
    sizes = parameters.get("batch_sizes", {}).get(cell["network"], ())
    return Setup(cell["network"], int(cell["seed"]), parameters["shape"], device, *subsets, state, sizes)
