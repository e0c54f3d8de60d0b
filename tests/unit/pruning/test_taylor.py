"""Scores of Molchanov et al., against the loss of networks whose gammas and betas are moved."""

from dataclasses import replace

import pytest
import torch
from contexts_for_tests import clips, context
from torch.nn.functional import cross_entropy

from channel_sparsity.networks import build, widths_of
from channel_sparsity.pruning.methods.taylor import scores
from channel_sparsity.training.recalibration import recalibrate

EPSILON = 1e-7


@pytest.fixture(scope="module")
def circumstances():
    """Double precision, and clips of two scenes in two batches, of 67 and 66."""
    noise = clips(frames=32, count=133)
    bands = {name: getattr(noise, name).double() for name in ("mean", "standard_deviation")}
    return replace(context(tied_gammas="mean"), train=replace(noise, logmel=noise.logmel.double(), **bands))


@torch.no_grad()
def moved(network, norm, channel, factor, features, labels):
    """The loss with gamma and beta of one channel multiplied by a factor."""
    module = network.get_submodule(norm)
    kept = module.weight[channel].item(), module.bias[channel].item()
    module.weight[channel] *= factor
    module.bias[channel] *= factor
    loss = cross_entropy(network(features), labels).item()
    module.weight[channel], module.bias[channel] = kept
    return loss


def by_differences(network, norm, channel, batches):
    """The mean over batches of the squared derivative of the loss by a factor of gamma and beta."""
    changes = [
        (moved(network, norm, channel, 1 - EPSILON, *batch) - moved(network, norm, channel, 1 + EPSILON, *batch))
        / (2 * EPSILON)
        for batch in batches
    ]
    return sum(change**2 for change in changes) / len(changes)


@pytest.mark.parametrize(
    ("name", "tied"), [("vgg11", "mean"), ("resnet11", "mean"), *(("mobilenet0.25", t) for t in ("min", "mean", "max"))]
)
def test_a_score_is_the_squared_change_of_the_loss_averaged_over_batches(name, tied, trained, circumstances):
    network = trained(name, 0.05).double()
    recalibrate(network, circumstances.train)  # else a deep network's numbers grow or vanish
    found = scores(network.train(), replace(circumstances, recipe={"tied_gammas": tied}))
    network.eval()
    assert {layer: len(values) for layer, values in found.items()} == widths_of(network)
    batches = [circumstances.train.batch(which) for which in (torch.arange(67), torch.arange(67, 133))]
    combined = {"min": min, "max": max, "mean": lambda both: sum(both) / len(both)}[tied]
    # The first layers, where all of the network lies behind a channel, one in the middle, and the last.
    chosen = [network.channels[place] for place in (0, 1, len(network.channels) // 2, -1)]
    for channels in chosen:
        for channel in range(2):
            expected = combined([by_differences(network, norm, channel, batches) for norm in channels.norms])
            assert found[channels.name][channel].item() == pytest.approx(expected, rel=1e-4)
    assert min(values.max().item() for values in found.values()) > 0


@pytest.mark.parametrize("name", ["vgg11", "mobilenet0.25"])
def test_what_cannot_change_the_loss_is_worth_nothing(name, trained):
    """A channel that puts out nothing already, and one that nothing reads."""
    network = trained(name, 0.1)
    channels = network.channels[2]
    for norm in map(network.get_submodule, channels.norms):
        norm.weight.data[0] = norm.bias.data[0] = 0
    for consumer in map(network.get_submodule, channels.consumers):
        consumer.weight.data[:, 1] = 0
    found = scores(network, context(tied_gammas="max"))[channels.name]
    assert found[:2].tolist() == [0, 0]
    assert (found[2:] > 0).any()


def test_scores_leave_the_network_and_the_global_generator_alone(trained):
    network = trained("resnet11", 0.1).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    generator = torch.random.get_rng_state()
    found = scores(network, context())
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(values.requires_grad for values in found.values())
    assert torch.random.get_rng_state().equal(generator)


def test_scores_go_by_the_clips_and_their_labels():
    torch.manual_seed(1)
    network, here = build("vgg11", 2, 0.1), context(32)
    recalibrate(network, here.train)
    as_before = replace(here, train=replace(here.train, rows=here.train.rows.flip(0), labels=here.train.labels.flip(0)))
    others = (
        replace(here, train=replace(here.train, labels=1 - here.train.labels)),
        replace(here, train=replace(here.train, logmel=here.train.logmel.flip(2))),
    )
    own, same, *changed = (torch.cat(list(scores(network, each).values())) for each in (here, as_before, *others))
    torch.testing.assert_close(same, own, rtol=1e-3, atol=1e-9)
    assert all((values - own).abs().max() > 0.1 * own.max() for values in changed)
