"""Where a job computes; what a GPU would do is checked as far as a CPU can."""

import pytest
import torch

from channel_sparsity.files import StudyError
from channel_sparsity.training.device import device_name, device_of


@pytest.fixture
def restored():
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True


@pytest.mark.parametrize(("wanted", "gpu", "expected"), [("cpu", True, "cpu"), ("auto", False, "cpu")])
def test_a_cpu_is_left_as_it_is(monkeypatch, wanted, gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert device_of(wanted).type == expected
    assert not torch.are_deterministic_algorithms_enabled()
    assert device_name(torch.device("cpu")) == "cpu"


@pytest.mark.parametrize("wanted", ["cuda", "auto"])
def test_a_gpu_computes_in_a_way_that_repeats_itself(monkeypatch, restored, wanted):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    assert device_of(wanted).type == "cuda"
    assert torch.are_deterministic_algorithms_enabled()


def test_a_gpu_that_is_not_there_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StudyError, match=r"`training.device` is `cuda`"):
        device_of("cuda")
