"""A training that is killed goes on to the same bits, and no state leads it astray."""

import json
import logging
from dataclasses import replace

import numpy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from settings_for_tests import SHORT, Killed, clips_of_levels

from channel_sparsity.files import StudyError
from channel_sparsity.networks import build
from channel_sparsity.training.fit import fit, seeded
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.state import State, identity
from channel_sparsity.training.updates import Updates

SETTINGS = replace(SHORT, epochs=3, batch_size=4, decay_gammas=False, warmup_epochs=1, clip_gammas=0.05)
WHO = {"code": "abc", "settings": {"epochs": 3}}


@pytest.fixture
def clips():
    torch.set_num_threads(1)
    return clips_of_levels(12, 4)


def train(clips, state, name="vgg11", training=SETTINGS, penalty="subgradient", batches=None, monkeypatch=None):
    """Weights and history of a training, which is killed after so many batches, if that is given."""
    with seeded(1, "initialisation"):
        network = build(name, 2, 0.05).to(memory_format=torch.channels_last)
    history = []
    with monkeypatch.context() as patch:
        if batches is not None:
            left = iter(range(batches))

            def update(updates, which, rate, real=Updates.__call__):
                if next(left, None) is None:
                    raise Killed
                real(updates, which, rate)

            patch.setattr(Updates, "__call__", update)
        pulled = Penalty(penalty, 1e-3)
        for epoch in fit(
            network, clips[0], training, pulled, seed=1, purpose=(name,), validation=clips[1], state=state
        ):
            history.append(epoch)
    return network.state_dict(), history


def same_bits(one, other):
    return all(torch.equal(one[key], other[key]) for key in one) and one.keys() == other.keys()


@pytest.mark.parametrize(
    ("name", "penalty", "optimiser"),
    [
        ("vgg11", "subgradient", "sgd"),
        ("resnet11", "proximal", "sgd"),
        ("mobilenet0.25", "ista", "sgd"),
        ("vgg11", "subgradient", "adam"),
    ],
)
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.integers(0, 8), min_size=1, max_size=3))
def test_a_training_killed_anywhere_goes_on_to_the_same_bits(
    clips, tmp_path, monkeypatch, name, penalty, optimiser, batches
):
    """Three batches are an epoch."""
    chosen = {"name": name, "penalty": penalty, "training": replace(SETTINGS, optimiser=optimiser)}
    through = train(clips, None, monkeypatch=monkeypatch, **chosen)
    resumed = []
    for count in [*batches, None]:
        state = State(tmp_path, WHO, 0)
        resumed.append(state.resumed)
        try:
            weights, history = train(clips, state, batches=count, monkeypatch=monkeypatch, **chosen)
            break
        except Killed:
            assert (tmp_path / "state.safetensors").exists() == (resumed[-1] > 0 or count >= 3)
    state.remove()
    assert not (tmp_path / "state.safetensors").exists()
    assert same_bits(weights, through[0]) and history == through[1]


def kept(clips, tmp_path, monkeypatch):
    """The path of the state of a training that was killed in its third epoch."""
    with pytest.raises(Killed):
        train(clips, State(tmp_path, WHO, 0), batches=7, monkeypatch=monkeypatch)
    return tmp_path / "state.safetensors"


def test_a_state_is_not_used_where_something_that_decides_differs(clips, tmp_path, monkeypatch, caplog):
    kept(clips, tmp_path, monkeypatch)
    for other, named in (
        (WHO | {"code": "abd"}, "code"),
        (WHO | {"settings": {"epochs": 4}}, "settings"),
        (WHO | {"code": "x", "settings": {}}, "code, settings"),
        (WHO | {"processor": "AVX2"}, "processor"),
    ):
        caplog.clear()
        state = State(tmp_path, other, 0)
        assert state.part("vgg11") is None and state.resumed == 0
        assert f"is of other {named}, so it is not used: the job starts anew" in caplog.text
    assert State(tmp_path, WHO, 0).part("vgg11").values["history"][1]["epoch"] == 2


def test_a_damaged_state_is_not_used(clips, tmp_path, monkeypatch, caplog):
    """Truncated, or one bit flipped: in any byte that means something, or else what is used is still what was kept."""
    path = kept(clips, tmp_path, monkeypatch)
    whole = path.read_bytes()
    before = State(tmp_path, WHO, 0).part("vgg11")
    header = int.from_bytes(whole[:8], "little") + 8
    draw = numpy.random.default_rng(2)
    damaged = [whole[:-1], whole[: len(whole) // 2], whole[:5], b""]
    for place in (*range(8), *draw.integers(8, header, 40), *draw.integers(header, len(whole), 40)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(draw.integers(8))
        damaged.append(bytes(flipped))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            part = State(tmp_path, WHO, 0).part("vgg11")
        if part is None:
            refused += 1
            assert "so it is not used: the job starts anew" in caplog.text
        else:
            assert part.values == before.values and same_bits(part.tensors, before.tensors)
    assert refused > len(damaged) - 8


def test_the_state_carries_layouts_and_says_how_long_it_took(tmp_path):
    state = State(tmp_path, WHO, 0)
    filters = torch.rand(6, 5, 3, 3).to(memory_format=torch.channels_last)
    pointwise = torch.rand(6, 5).t()[:, :, None, None]
    state.keep("one", {"half": 0.1 + 0.2}, {"filters": filters, "pointwise": pointwise, "steps": torch.tensor(3)})
    again = State(tmp_path, WHO, 0)
    part = again.part("one")
    assert part.values == {"half": 0.1 + 0.2}
    for name, tensor in (("filters", filters), ("pointwise", pointwise)):
        assert torch.equal(part.tensors[name], tensor) and part.tensors[name].stride() == tensor.stride()
    assert again.resumed == 1 and 0 < state.seconds() - again.seconds() + 1 < 1.5
    with safe_open(tmp_path / "state.safetensors", "pt") as file:
        assert json.loads(file.metadata()["content"])["identity"] == WHO


def test_parts_are_forgotten_together(tmp_path):
    state = State(tmp_path, WHO, 0)
    state.keep("curve", {"step": 1}, {})
    state.keep("fine-tuning", {}, {"weights": torch.ones(2)})
    assert State(tmp_path, WHO, 0).part("fine-tuning") is not None
    state.keep("curve", {"step": 2}, {}, alone=True)
    again = State(tmp_path, WHO, 0)
    assert again.part("fine-tuning") is None and again.part("curve").values == {"step": 2}


def test_it_is_written_no_more_often_than_asked(tmp_path):
    state = State(tmp_path, WHO, 3600)
    state.keep("one", {}, {})
    assert not (tmp_path / "state.safetensors").exists()


def test_half_a_state_goes(tmp_path):
    (tmp_path / ".state.ab12cd34.safetensors").touch()
    State(tmp_path, WHO, 0).remove()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_the_state_and_not_the_job(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("channel_sparsity.training.state.save_file", full)
    State(tmp_path, WHO, 0).keep("one", {}, {})
    assert "could not be written ([Errno 28] No space left on device): the job goes on without" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_job_whose_run_is_gone_keeps_its_state_and_stops(tmp_path, monkeypatch):
    state = State(tmp_path, WHO, 3600)
    monkeypatch.setattr("os.getppid", lambda: 1)
    with pytest.raises(StudyError, match=r"its state is kept in .*, run again to go on from there"):
        state.keep("one", {"epoch": 5}, {})
    assert State(tmp_path, WHO, 0).part("one").values == {"epoch": 5}


def test_an_identity_tells_files_threads_and_versions_apart(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    torch.set_num_threads(1)
    one = identity(torch.device("cpu"), {"code": "x"}, {"split": tmp_path / "a"})
    assert one == identity(torch.device("cpu"), {"code": "x"}, {"split": tmp_path / "a"})
    assert one != identity(torch.device("cpu"), {"code": "x"}, {"split": tmp_path / "b"})
    assert one["number of threads"] == 1 and one["PyTorch"] == torch.__version__ and one["processor"]
