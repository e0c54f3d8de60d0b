"""Circumstances of a pruning step, for the tests of the methods."""

import torch

from channel_sparsity.pruning.context import Context
from channel_sparsity.training.features import Subset


def context(frames=51, seed=1, step=1, **recipe):
    """40 bands; slimming's settings are the study's unless `recipe` says otherwise."""
    return Context({"tied_gammas": "min", "signed_gammas": False, **recipe}, "", seed, clips(frames), step)


def clips(frames=51, count=8):
    """A subset of noise in two classes, of 40 bands."""
    noise = torch.randn(count, 40, frames, generator=torch.Generator().manual_seed(0))
    rows = torch.arange(count)
    return Subset(noise, rows, rows % 2, torch.zeros(40, 1), torch.ones(40, 1))
