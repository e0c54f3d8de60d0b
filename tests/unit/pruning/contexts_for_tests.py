"""Circumstances of a pruning step, for the tests of the methods."""

from channel_sparsity.pruning.context import Context


def context(frames=51, seed=1, step=1, **recipe):
    """40 bands; slimming's settings are the study's unless `recipe` says otherwise."""
    return Context({"tied_gammas": "min", "signed_gammas": False, **recipe}, "", seed, 40, frames, step)
