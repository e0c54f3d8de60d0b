"""Networks that come back from a file, and files that are named."""

import json

import pytest
import torch
from safetensors import safe_open

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build, widths_of
from channel_sparsity.networks.saving import load_network, load_weights, save_network, save_weights

SHAPE = {"width_scale": 0.25, "stem_stride": 2}


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_a_cut_network_comes_back_and_answers_alike(name, tmp_path):
    widths = {layer: 1 + n % 4 for n, layer in enumerate(widths_of(build(name, 3, **SHAPE)))}
    network = build(name, 3, **SHAPE, widths=widths).eval().to(memory_format=torch.channels_last)
    save_network(tmp_path / "n.safetensors", network, name, SHAPE)
    with safe_open(tmp_path / "n.safetensors", "pt") as file:
        assert json.loads(file.metadata()["network"]) == {"name": name, "shape": SHAPE, "widths": widths}
    again, clip = load_network(tmp_path / "n.safetensors", 3), torch.randn(2, 1, 32, 32)
    assert not again.training and torch.equal(again(clip), network(clip))


def test_the_same_weights_are_the_same_bytes_however_they_lie_in_memory(tmp_path):
    network = build("vgg11", 3, 0.25)
    save_weights(tmp_path / "a.safetensors", network)
    save_weights(tmp_path / "b.safetensors", network.to(memory_format=torch.channels_last))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("damage", ["missing", "cut short", "of another network", "without its name"])
def test_a_file_that_cannot_be_loaded_is_named(damage, tmp_path):
    path = tmp_path / "n.safetensors"
    save_network(path, build("vgg11", 3, 0.25), "vgg11", {"width_scale": 0.25})
    match damage:
        case "missing":
            path.unlink()
        case "cut short":
            path.write_bytes(path.read_bytes()[:1000])
        case "of another network":
            save_network(path, build("vgg11", 4, 0.25), "vgg11", {"width_scale": 0.25})
        case "without its name":
            save_weights(path, build("vgg11", 3, 0.25))
    with pytest.raises(StudyError, match=r"n\.safetensors cannot be loaded .*: delete it and run again"):
        load_network(path, 3)
    if damage != "without its name":
        with pytest.raises(StudyError, match=r"n\.safetensors cannot be loaded .*: delete it and run again"):
            load_weights(build("vgg11", 3, 0.25), path)
