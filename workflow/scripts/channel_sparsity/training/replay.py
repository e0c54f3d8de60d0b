"""CUDA graphs: what a GPU does over and over is launched as one, since small networks wait for launches most."""

from collections.abc import Callable

import torch

WARM_UP = 3
"""Calls before the capture: they create what is created at first use (momenta, work spaces)."""


class Replayed:
    """Calls one function of tensors, which returns nothing: captured once, on tensors of its own, and replayed.

    It must not look at values (a GPU would have to wait for them). The first `WARM_UP` calls and those with other
    shapes than the first call's run as they are; every call takes effect exactly once.
    """

    def __init__(self, capture: Callable | None = None):
        """`capture` turns the function and its inputs into a call without arguments; on a GPU a CUDA graph does."""
        self._capture = capture or _graph
        self._calls = 0
        self._inputs: list[torch.Tensor] = []
        self._replay: Callable[[], None] | None = None

    def __call__(self, function: Callable[..., None], *tensors: torch.Tensor) -> None:
        if self._calls == 0:
            self._inputs = [tensor.clone() for tensor in tensors]
        if any(tensor.shape != own.shape for tensor, own in zip(tensors, self._inputs, strict=True)):
            function(*tensors)
            return
        for own, tensor in zip(self._inputs, tensors, strict=True):
            own.copy_(tensor, non_blocking=True)
        if self._calls < WARM_UP:
            self._calls += 1
            _aside(function, self._inputs)
            return
        if self._replay is None:
            self._replay = self._capture(function, self._inputs)
        self._replay()


def _aside(function: Callable[..., None], inputs: list[torch.Tensor]) -> None:
    """A call on a stream other than the default one, as PyTorch wants it before a capture."""
    if not inputs[0].is_cuda:
        function(*inputs)
        return
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        function(*inputs)
    torch.cuda.current_stream().wait_stream(stream)


def _graph(function: Callable[..., None], inputs: list[torch.Tensor]) -> Callable[[], None]:
    """Capture without running."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function(*inputs)
    return graph.replay
