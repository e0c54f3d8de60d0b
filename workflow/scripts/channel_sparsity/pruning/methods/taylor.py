"""A criterion that needs no sparsity: by how much the loss would change (Molchanov et al. 2019, gates on BN)."""

import torch
from torch import Tensor

from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.context import Context, tied
from channel_sparsity.training.features import in_batches


def scores(network: Network, context: Context) -> dict[str, Tensor]:
    """The squared change of the loss if a channel's normalisation put out 0, [channels] per prunable set.

    To first order that change is gamma dL/dgamma + beta dL/dbeta. It is squared for each batch of the training clips,
    with the running statistics, and averaged. `tied_gammas` of the recipe: how a depthwise pair's two make one (R12).
    """
    network.eval()
    norms = {norm: network.get_submodule(norm) for channels in network.channels for norm in channels.norms}
    parameters = [parameter for norm in norms.values() for parameter in (norm.weight, norm.bias)]
    total = {norm: torch.zeros_like(module.weight) for norm, module in norms.items()}
    batches = in_batches(context.train)
    for which in batches:
        features, labels = context.train.batch(which)
        loss = torch.nn.functional.cross_entropy(network(features), labels)
        gradients = iter(torch.autograd.grad(loss, parameters))
        for norm, module in norms.items():
            change = module.weight * next(gradients) + module.bias * next(gradients)
            total[norm] += change.detach() ** 2 / len(batches)
    return {channels.name: tied([total[norm] for norm in channels.norms], context) for channels in network.channels}
