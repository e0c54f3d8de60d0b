"""A step of a pruning curve made again, since curves keep figures and not networks."""

from channel_sparsity.networks import gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.curve import Finetuning, Schedule, finetune
from channel_sparsity.pruning.methods import Method
from channel_sparsity.training.features import Subset


def replay(
    network: Network,
    method: Method,
    schedule: Schedule,
    finetuning: Finetuning,
    train: Subset,
    step: int,
    *,
    seed: int,
    name: str,
) -> Network:
    """The network of step `step` of the curve that `curve.trace` traces from the same arguments, bit for bit.

    The steps in between are not measured, and those that it does not come from (`Schedule.from_trained`) not made.
    """
    counts = schedule.counts(_channels(network))
    pruned = network
    for number in range(max(step, 1) if schedule.from_trained else 1, step + 1):
        gone = _channels(network) - _channels(pruned)
        pruned = method.prune(pruned, number, counts[number - 1] - gone)
        if finetuning.changes:
            pruned = finetune(pruned, finetuning, train, seed=seed, purpose=(name, "finetuning", number))
    return pruned


def _channels(network: Network) -> int:
    """How many gammas a network has."""
    return sum(len(gamma) for gamma in gammas_of(network).values())
