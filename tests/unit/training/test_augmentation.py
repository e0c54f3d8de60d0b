"""Mixup and SpecAugment against their definitions."""

import numpy
import pytest
import torch
from scipy import stats

from channel_sparsity.training.augmentation import Augmentation, draw_partners, mask, mixup


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


def test_mixup_blends_clips_and_losses_with_the_same_weight():
    features, labels = torch.randn(8, 1, 4, 5), torch.arange(8)
    mixed = mixup(features, labels, *draw_partners(8, 0.4))
    partner = mixed.partner_labels
    assert sorted(partner.tolist()) == list(range(8))
    expected = mixed.weight * features + (1 - mixed.weight) * features[partner]
    torch.testing.assert_close(mixed.features, expected)
    logits = torch.randn(8, 8)
    target = mixed.weight * torch.eye(8) + (1 - mixed.weight) * torch.eye(8)[partner]
    torch.testing.assert_close(mixed.loss(logits), torch.nn.functional.cross_entropy(logits, target))


def test_mixup_weights_follow_the_folded_beta_distribution():
    weights = numpy.array([draw_partners(2, 0.4)[1].item() for _ in range(2000)])
    beta = stats.beta(0.4, 0.4)
    assert stats.kstest(weights, lambda x: beta.cdf(x) - beta.cdf(1 - x)).pvalue > 0.01


def test_without_mixup_a_clip_stays_itself():
    features, labels = torch.randn(4, 1, 2, 3), torch.arange(4)
    mixed = mixup(features, labels, *draw_partners(4, 0))
    torch.testing.assert_close(mixed.features, features)
    torch.testing.assert_close(mixed.loss(torch.eye(4)), torch.nn.functional.cross_entropy(torch.eye(4), labels))


def test_masks_are_bands_of_zeros_no_wider_than_allowed_drawn_clip_by_clip():
    masked = mask(torch.ones(600, 1, 40, 100), Augmentation(0, 4, 0.1))[:, 0]
    silent_bands, silent_frames = (masked == 0).all(2), (masked == 0).all(1)
    assert torch.equal(masked == 0, silent_bands[:, :, None] | silent_frames[:, None, :])
    for silent, widest in ((silent_bands, 4), (silent_frames, 10)):
        widths = silent.sum(1)
        # A width is the whole part of a uniform number below `widest`: every width under it is equally likely.
        assert stats.chisquare(numpy.bincount(widths, minlength=widest)).pvalue > 0.01
        edges = (silent[:, 1:] != silent[:, :-1]).sum(1) + silent[:, 0].int() + silent[:, -1].int()
        assert set(edges[widths > 0].tolist()) == {2}, "one run of zeros"
