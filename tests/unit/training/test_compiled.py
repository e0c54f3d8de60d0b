"""Trainings by compiled code: what they learn, that they go on to the same bits, what is said without a compiler."""

import copy
from dataclasses import replace

import pytest
import torch
import yaml
from settings_for_tests import SHORT, Killed, clips_of_levels
from torch import nn
from torch._inductor import config as inductor

from channel_sparsity.files import StudyError
from channel_sparsity.networks.channels import Channels, Network
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import finetuning_settings, training_settings
from channel_sparsity.training.state import State

COMPILED = replace(SHORT, compile=True)


class Small(Network):
    """A layer, since a compiler takes its time for each."""

    channels = (Channels(("norm",), producers=("conv",), consumers=("head",)),)

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 3)

    def resized(self, widths):
        raise NotImplementedError

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """Compile in this process, with no other to look what the processor can do, and keep nothing."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with inductor.patch({"compile_threads": 1, "cpp.vec_isa_ok": True}):
        yield
    torch._dynamo.reset()


@pytest.fixture
def clips():
    """20 clips: two batches of full size and a smaller one."""
    return clips_of_levels(20, classes=3, step=5)[0]


def learnt(network, clips, settings, state=None, epochs=2):
    """A copy of the network, trained; interrupted where there are fewer `epochs`."""
    network = copy.deepcopy(network).to(memory_format=torch.channels_last)
    going = fit(network, clips, settings, Penalty("subgradient", 1e-3), seed=1, purpose=("test",), state=state)
    history = [next(going) for _ in range(epochs)]
    if epochs < settings.epochs:
        with pytest.raises(Killed):
            going.throw(Killed)
    else:
        assert not list(going)
    return network, history


def test_compiled_code_learns_what_the_network_learns_and_goes_on_to_the_same_bits(clips, tmp_path):
    untrained = Small()
    torch._dynamo.utils.counters.clear()
    plain, history = learnt(untrained, clips, SHORT)
    assert not torch._dynamo.utils.counters["stats"], "nothing is compiled unless it is asked for"
    code, compiled_history = learnt(untrained, clips, COMPILED)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1, "nothing is compiled for the smaller batch"
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(code.state_dict()[key], value, rtol=1e-4, atol=1e-5)
    assert [epoch.loss_train for epoch in compiled_history] == pytest.approx(
        [epoch.loss_train for epoch in history], rel=1e-4
    )

    long = replace(COMPILED, epochs=3)
    whole, _ = learnt(untrained, clips, long, epochs=3)
    learnt(untrained, clips, long, State(tmp_path, {}, 0), epochs=2)
    torch._dynamo.reset()
    state = State(tmp_path, {}, 0)
    again, _ = learnt(untrained, clips, long, state, epochs=3)
    assert state.resumed == 1
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_a_compiler_that_is_missing_is_said_in_one_sentence(clips):
    missing = inductor.patch({"cpp.cxx": ("no-such-compiler",)})
    with (
        missing,
        pytest.raises(StudyError, match=r"^Small could not be compiled \(.*no-such-compiler.*`training.compile`"),
    ):
        learnt(Small(), clips, replace(COMPILED, epochs=1), epochs=1)


def test_fine_tuning_is_never_compiled(request):
    config = yaml.safe_load((request.config.rootpath / "config.yaml").read_text(encoding="utf-8"))
    training = config["training"] | {"compile": True}
    assert training_settings(training).compile
    assert not finetuning_settings(training, config["pruning"]["finetuning"]).compile
