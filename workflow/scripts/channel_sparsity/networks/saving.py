"""Networks in files of the safetensors format: their weights, or all that builds them anew."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from channel_sparsity.files import StudyError, whole
from channel_sparsity.networks import build, widths_of
from channel_sparsity.networks.channels import Network


def save_weights(path: str | Path, network: Network, facts: Mapping[str, str] | None = None) -> None:
    """Write what a network has learnt, and `facts` as the file's metadata; the same bytes for the same weights."""
    weights = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
    with whole(path) as temporary:
        save_file(weights, temporary, facts)


def load_weights(network: Network, path: str | Path) -> Network:
    """The network, with the weights of a file; StudyError names a file that is damaged or another network's."""
    try:
        network.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise _cannot_be_loaded(path, error) from error
    return network


def save_network(path: str | Path, network: Network, name: str, shape: Mapping[str, float]) -> None:
    """Write a pruned network with its name, its shape (see `build`) and its widths."""
    # One entry: the order of several would differ from run to run.
    facts = {"name": name, "shape": dict(shape), "widths": widths_of(network)}
    save_weights(path, network, {"network": json.dumps(facts)})


def load_network(path: str | Path, classes: int) -> Network:
    """The network that `save_network` wrote, ready to predict; StudyError if the file is none."""
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()["network"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _cannot_be_loaded(path, error) from error
    network = build(facts["name"], classes, **facts["shape"], widths=facts["widths"])
    return load_weights(network, path).eval()


def _cannot_be_loaded(path: str | Path, error: Exception) -> StudyError:
    said = " ".join(str(error).split())  # PyTorch takes several lines
    return StudyError(f"{path} cannot be loaded ({said}): delete it and run again")
