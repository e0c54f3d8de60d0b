"""A network as code of its own, which joins normalisations, ReLUs and sums: they take a GPU more time than the rest."""

from collections.abc import Callable

import torch

from channel_sparsity.files import StudyError


def compiled(network: torch.nn.Module, clips: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """What computes `network` on features [n, 1, bands, frames], by code made at the first call for `clips` of them.

    Other numbers of clips go through the network as it is: new code would take longer than a short batch. Nothing in
    the code is chosen by timing if that decides bits. StudyError at the first call if no code can be made.
    """
    code = torch.compile(network, dynamic=False, options={"deterministic": True})

    def forward(features: torch.Tensor) -> torch.Tensor:
        if len(features) != clips:
            return network(features)
        try:
            return code(features)
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = str(getattr(error, "inner_exception", error)).strip().partition("\n")[0]
            needed = "Triton and a C compiler" if features.is_cuda else "a C++ compiler (g++)"
            raise StudyError(
                f"{type(network).__name__} could not be compiled ({reason}): install {needed} and the headers of "
                "Python, or set `training.compile` to `false`"
            ) from error

    return forward
