"""Where a job computes: on the CPU, or on a GPU in a way that repeats itself."""

import os

import torch

from channel_sparsity.files import StudyError


def device_of(wanted: str) -> torch.device:
    """The device that `training.device` asks for: ``cpu``, ``cuda``, or ``auto``: a GPU where there is one.

    On a GPU only deterministic kernels are used from then on, so that a job ends with the same bits whenever it is
    started anew. Raises StudyError if a GPU is asked for and none is found.
    """
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise StudyError(
            "`training.device` is `cuda`, and PyTorch finds no GPU here: run where there is one (and its driver), "
            "or set it to `cpu`"
        )
    if wanted == "cpu" or not found:
        return torch.device("cpu")
    # cuBLAS wants to be told before it is first used; no kernel is chosen by timing, which varies.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # it costs a kernel a tensor
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda")


def device_name(device: torch.device) -> str:
    """``cpu``, or the GPU by its product name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
