"""The target that somebody meant."""

import pytest

from channel_sparsity.bookkeeping.targets import nearest

KNOWN = ["dataset", "figures", "curves", "tables"] + [
    f"results/demo/train/{network}/lambda-{lam}/seed-1/metrics.json"
    for network in ("vgg11", "mobilenet0.25", "resnet11")
    for lam in ("0", "1e-3", "1e-2")
]


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("figure", "figures"),
        ("curve", "curves"),
        ("xyz", None),
        (KNOWN[5].replace("1e-3", "0.001"), KNOWN[5]),
        (KNOWN[6].replace("1e-2", "1.0e-02"), KNOWN[6]),
        (KNOWN[4].replace("vgg11", "vgg12"), KNOWN[4]),
    ],
)
def test_the_nearest_target_is_found(target, meant):
    assert nearest(target, KNOWN) == meant
