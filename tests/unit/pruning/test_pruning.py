"""A curve with all that is written of it, and the network of one of its steps from what was kept."""

import itertools
from dataclasses import replace

import h5py
import pandas
import pytest
import torch
from test_curve import CUT, FINETUNING, STATISTICS, plan

from channel_sparsity.files import StudyError, write_csv
from channel_sparsity.networks import widths_of
from channel_sparsity.networks.saving import save_weights
from channel_sparsity.pruning import curve as pruning
from channel_sparsity.pruning import traced
from channel_sparsity.pruning.curve import trace
from channel_sparsity.pruning.methods import Method
from channel_sparsity.pruning.remaking import answers_as_recorded, network_of_step
from channel_sparsity.pruning.traced import prune, weights_of_step
from channel_sparsity.training.setup import Setup
from channel_sparsity.training.state import State
from channel_sparsity.training.updates import Updates

TRAINED = {"status": "trained", "reason": None}
SHAPE = {"width_scale": 0.05, "stem_stride": 1}


@pytest.fixture
def setup(clips, tmp_path):
    state = State(tmp_path / "state", {"code": 1}, 0)
    return Setup("vgg11", 1, SHAPE, torch.device("cpu"), *clips, ["bus", "park"], state)


def curve(network, setup, finetuning=CUT, training=TRAINED, steps=None, done=None):
    told = plan((setup.train, setup.validation), finetuning=finetuning)
    return prune(network, told, setup, training, [].append if done is None else done.append, steps)


def test_the_curve_is_the_traced_one_and_the_control_is_finetuned_uncut(network, setup):
    done = []
    found = curve(network, setup, FINETUNING, done=done)
    own = list(trace(network, plan((setup.train, setup.validation)), setup.validation))
    assert done == [0, 1, 2, 3, 4]
    assert found.tables()["curve"]["accuracy"].tolist() == [step.accuracy for step in own]
    outcome = found.outcome()
    assert list(outcome) == ["status", "reason", "accuracy_unpruned_finetuned"]
    assert (outcome["status"], outcome["reason"]) == ("traced", None)
    assert outcome["accuracy_unpruned_finetuned"] * 8 == round(outcome["accuracy_unpruned_finetuned"] * 8)
    assert (
        curve(network, replace(setup, state=State("unused", {}, 3600)), CUT).outcome()["accuracy_unpruned_finetuned"]
        is None
    )


def test_the_curve_of_a_training_that_went_wrong_is_the_network_itself(network, setup):
    found = curve(network, setup, FINETUNING, {"status": "diverged", "reason": "the loss was nan"})
    assert found.tables()["curve"]["step"].tolist() == [0]
    assert found.outcome() == {
        "status": "diverged",
        "reason": "training diverged: the loss was nan",
        "accuracy_unpruned_finetuned": None,
    }


def test_a_step_that_fails_ends_the_curve_and_a_control_that_fails_is_left_out(network, setup, monkeypatch):
    diverging = replace(FINETUNING, settings=replace(FINETUNING.settings, learning_rate=1e30))
    found = curve(network, setup, diverging)
    assert found.tables()["curve"]["step"].tolist() == [0] and found.status == "diverged"
    assert found.reason.startswith("in fine-tuning of step 1, the training loss was ")
    assert found.control is None


def test_a_gpu_that_is_too_small_ends_the_curve_with_what_to_do(network, setup, monkeypatch):
    """It has the steps so far, whether weights are learnt, statistics taken or channels scored."""
    cases = {
        "in fine-tuning of step 2, the GPU's memory did not suffice in epoch 1": (Updates, "__call__", FINETUNING, 3),
        "in fine-tuning of step 1, the GPU's memory did not suffice for new running": (
            pruning,
            "recalibrate",
            STATISTICS,
            1,
        ),
        "the GPU's memory did not suffice for the cut of step 3": (Method, "prune", CUT, 3),
    }
    for reason, (owner, name, finetuning, call) in cases.items():
        left, real = iter(range(call - 1)), getattr(owner, name)

        def full(*given, left=left, real=real):
            if next(left, None) is None:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return real(*given)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full)
            found = curve(network, replace(setup, state=State("unused", {}, 3600)), finetuning)
        assert found.status == "out_of_memory" and found.reason.startswith(reason)
        assert "let fewer jobs share the GPU (--resources gpu=1)" in found.reason
        assert len(found.rows) == int(reason.split("step ")[1][0])


def test_predictions_are_classes_and_log_probabilities_of_each_step(network, setup, tmp_path):
    found = curve(network, setup)
    found.write_predictions(tmp_path / "p.h5", setup)
    with h5py.File(tmp_path / "p.h5") as file:
        scene, log_probability, label, row = (file[k][:] for k in ("scene", "log_probability", "label", "row"))
        assert list(file.attrs["scenes"]) == ["bus", "park"]
    for step in trace(network, plan((setup.train, setup.validation), finetuning=CUT), setup.validation):
        assert scene[step.step].tolist() == step.log_probabilities.argmax(1).tolist()
        assert log_probability[step.step].tolist() == step.log_probabilities.max(1).values.tolist()
    assert row.tolist() == list(range(12, 20)) and label.tolist() == [0, 1] * 4


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_weights_of_each_step_are_kept_also_over_a_kill(network, setup, tmp_path, monkeypatch):
    """What a killed job has kept stays; if some of it is gone, the curve is traced anew; another curve's goes."""
    expected = curve(network, replace(setup, state=State(tmp_path / "unused", {}, 3600)), steps=tmp_path / "whole")
    assert kept(tmp_path / "whole") == [f"{step:02}.safetensors" for step in range(5)]
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "17.safetensors").touch()

    class Killed(BaseException):
        pass

    def some(*given):
        yield from itertools.islice(trace(*given), 3 if given[-1] is None else 1)
        raise Killed

    monkeypatch.setattr(traced, "trace", some)
    with pytest.raises(Killed):
        curve(network, setup, steps=folder)
    assert kept(folder) == ["00.safetensors", "01.safetensors", "02.safetensors"]
    monkeypatch.undo()
    done = []
    again = curve(network, replace(setup, state=State(tmp_path / "state", {"code": 1}, 0)), steps=folder, done=done)
    assert done == [3, 4]
    pandas.testing.assert_frame_equal(again.tables()["curve"], expected.tables()["curve"])
    for name in kept(tmp_path / "whole"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    (folder / "01.safetensors").unlink()
    done = []
    curve(network, replace(setup, state=State(tmp_path / "state", {"code": 1}, 0)), steps=folder, done=done)
    assert done == [0, 1, 2, 3, 4] and len(kept(folder)) == 5


@pytest.fixture
def finished(network, setup, tmp_path):
    """The files of a finished curve, by the names of a rule's inputs."""
    found = curve(network, setup, STATISTICS, steps=tmp_path / "steps")
    found.write_predictions(tmp_path / "predictions.h5", setup)
    write_csv(tmp_path / "widths.csv", found.tables()["widths"])
    save_weights(tmp_path / "weights.safetensors", network)
    names = {"widths": "widths.csv", "predictions": "predictions.h5", "weights": "weights.safetensors"}
    return {name: tmp_path / file for name, file in (names | {"steps": "steps", "curve": "curve.csv"}).items()}


RECIPE = {
    "method": "slimming",
    "step": 0.2,
    "step_of": "original",
    "highest_rate": 0.8,
    "absorb": False,
    "shrink_survivors": False,
    "tied_gammas": "min",
    "signed_gammas": False,
    "finetuning": {"when": "none", "penalty": "none", "rescaling": 1, "recalibrate": True},
}


@pytest.mark.parametrize("step", [0, 3])
def test_a_kept_step_is_the_one_that_is_made_again(finished, setup, step):
    made = {name: path for name, path in finished.items() if name != "steps"}
    one, other = (network_of_step(setup, files, RECIPE, {}, 0.0, step) for files in (finished, made))
    assert widths_of(one) == widths_of(other)
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


def test_a_step_that_answers_otherwise_is_refused(finished, setup, network):
    steps = finished["steps"]
    network_ = network_of_step(setup, finished, RECIPE, {}, 0.0, 2)
    assert answers_as_recorded(network_, setup.validation, finished["predictions"], 2, network)
    network_.head.bias.data[0] += 0.01
    assert not answers_as_recorded(network_, setup.validation, finished["predictions"], 2, network)
    save_weights(weights_of_step(steps, 2), network_)
    with pytest.raises(StudyError, match=r"the network of step 2 does not answer as .*predictions\.h5 says"):
        network_of_step(setup, finished, RECIPE, {}, 0.0, 2)
    weights_of_step(steps, 2).write_bytes(b"")
    with pytest.raises(StudyError, match=r"02\.safetensors cannot be loaded"):
        network_of_step(setup, finished, RECIPE, {}, 0.0, 2)
