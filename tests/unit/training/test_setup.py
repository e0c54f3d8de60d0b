"""What a job starts from, and which state it goes on from."""

import json
from dataclasses import replace

import pytest
import torch

from channel_sparsity.files import StudyError, write_json
from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.saving import save_weights
from channel_sparsity.training.setup import set_up

CELL = {"network": "vgg11", "lam": "1e-2", "seed": "3"}
PARAMETERS = {
    "code": "abc",
    "settings": {"threads": 1, "epochs": 2},
    "device": "cpu",
    "shape": {"width_scale": 0.1, "stem_stride": 1},
    "state_seconds": 0,
}


@pytest.fixture
def files(study):
    """The inputs of a job that trains."""
    write_json(study / "manifest.json", {"features_sha256": "f"})
    names = {"store": "logmel.h5", "manifest": "manifest.json"}
    names |= {name: f"{name}.{kind}" for name, kind in (("split", "csv"), ("normalisation", "json"))}
    return {name: study / file for name, file in names.items()}


def test_a_job_has_its_clips_and_its_threads(files):
    torch.set_num_threads(2)
    setup = set_up(files, PARAMETERS, CELL)
    assert torch.get_num_threads() == 1
    assert (setup.name, setup.seed, setup.device, setup.state) == ("vgg11", 3, torch.device("cpu"), None)
    assert (len(setup.train), len(setup.validation), setup.scenes) == (4, 2, ["bus", "park", "tram"])


def test_a_network_is_initialised_by_its_seed_and_name_alone(files):
    cell = CELL | {"network": "mobilenet0.25"}  # which takes clips as short as these
    setup = set_up(files, PARAMETERS, cell)
    first = setup.untrained().state_dict()
    torch.rand(5)
    again = set_up(files, PARAMETERS, cell | {"lam": "0"}).untrained().state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    other = replace(setup, seed=4).untrained().state_dict()
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_a_network_has_the_shape_of_the_study_and_the_weights_of_its_file(files, tmp_path):
    torch.manual_seed(9)
    shape = {"width_scale": 0.2, "stem_stride": 2}
    cell = CELL | {"network": "resnet11"}  # which takes clips as short as these
    network = build("resnet11", 3, **shape)
    save_weights(tmp_path / "w.safetensors", network)
    setup = set_up(files, PARAMETERS | {"shape": shape}, cell)
    loaded = setup.trained(tmp_path / "w.safetensors")
    for norm, gamma in gammas_of(network).items():
        assert torch.equal(gamma, gammas_of(loaded)[norm])
    assert torch.equal(loaded.head.weight, network.head.weight) and loaded.stem.stride == (2, 2)
    with pytest.raises(StudyError, match=r"w\.safetensors cannot be loaded"):
        set_up(files, PARAMETERS, cell).trained(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("network", "sizes", "refused"),
    [
        ("mobilenet0.25", [2, 3], True),
        ("mobilenet0.25", [2, 4], False),
        ("resnet11", [3], False),  # its last map has 10 x 1 values: enough for a batch of one clip
    ],
)
def test_a_last_batch_of_one_clip_is_refused_where_its_last_map_is_one_value(files, network, sizes, refused):
    """Four clips train: of batches of three the last one has a single clip."""
    shape = {"width_scale": 0.1, "stem_stride": 4 if network == "mobilenet0.25" else 1}
    parameters = PARAMETERS | {"shape": shape, "batch_sizes": {network: sizes}}
    setup = set_up(files, parameters, CELL | {"network": network})
    if not refused:
        setup.untrained()
        return
    with pytest.raises(StudyError, match=r"one clip \(4 training clips in batches of 3\).*: choose another"):
        setup.untrained()


def test_clips_that_are_too_small_are_refused_before_anything_is_learnt(files):
    setup = set_up(files, PARAMETERS, CELL)
    with pytest.raises(StudyError, match=r"VGG cannot take clips of 40 bands x 5 frames .* or a smaller `stem_stride`"):
        setup.untrained()


@pytest.mark.parametrize(
    ("changed", "goes_on"),
    [
        ({}, True),
        ({"state_seconds": 9}, True),
        ({"code": "abd"}, False),
        ({"settings": {"threads": 1, "epochs": 3}}, False),
        ({"shape": {"width_scale": 0.1, "stem_stride": 2}}, False),
        ({"recipe": {"step": 0.1}}, False),
    ],
)
def test_a_state_is_of_the_same_code_settings_and_shape(files, tmp_path, changed, goes_on):
    set_up(files, PARAMETERS, CELL, tmp_path / "state").state.keep("part", {"epoch": 1}, {})
    state = set_up(files, PARAMETERS | changed, CELL, tmp_path / "state").state
    assert (state.part("part") is not None) is goes_on


@pytest.mark.parametrize("changed", ["manifest", "split", "normalisation", "cell"])
def test_a_state_is_of_the_same_data_and_cell(files, tmp_path, changed):
    set_up(files, PARAMETERS, CELL, tmp_path / "state").state.keep("part", {"epoch": 1}, {})
    cell = CELL
    if changed == "cell":
        cell = CELL | {"lam": "0"}
    elif changed == "split":
        files["split"].write_text(files["split"].read_text() + "\n")
    else:
        write_json(files[changed], json.loads(files[changed].read_text()) | {"more": 1})
    assert set_up(files, PARAMETERS, cell, tmp_path / "state").state.part("part") is None
