import pytest
from cells_for_tests import record, study

from channel_sparsity.analysis import claims, tables
from channel_sparsity.analysis.pooling import pooled
from channel_sparsity.naming import NETWORKS
from channel_sparsity.report.answer import answer

MARGINS = {"pk": 0.05, "m": 0.03, "r": 0.1}


def said(records):
    cells = tables.cells(records, 0.03)
    return answer(claims.claims(cells, MARGINS), pooled(cells), tables.correlation(cells), cells)


def rising(network, slope, recipe="slimming", noise=0.01):
    """Cells whose PK follows WS along a line, but for a little noise of fixed signs."""
    signs = (1, -1, -1, 1, 1)
    return [
        record(network, recipe, lam, ws=ws, pk=0.6 + slope * ws + noise * sign)
        for lam, ws, sign in zip(("0", "1e-6", "1e-5", "1e-4", "1e-3"), (0.1, 0.7, 1.5, 2.2, 3.0), signs, strict=True)
    ]


def test_what_is_certain_is_said_with_its_interval():
    first, second, third = said(rising("vgg11", 0.08) + rising("resnet11", 0.08))
    assert first.startswith(
        "Yes, in this study: sparser networks prune better: pruned by Liu et al.'s method, PK is 8."
    )
    assert "points higher where WS is larger by 1 (95 % interval: " in first
    assert "10 points of 2 networks" in first and "differ in slope" not in first
    assert "Of 2 networks" in second and "above 0 in 2 (VGG-11: r = 0.99" in second and "below 0 in none" in second
    assert third.startswith("Of the paper's 17 claims, put to 17 tests")


def test_what_falls_is_said_to_fall():
    first, second, _ = said(rising("vgg11", -0.08) + rising("resnet11", -0.08))
    assert first.startswith("No, in this study sparser networks prune worse") and "points lower" in first
    assert "below 0 in 2 (" in second and "above 0 in none" in second


def test_what_is_open_stays_open():
    first, second, _ = said(rising("vgg11", 0.0, noise=0.1))
    assert first.startswith("This study does not decide")
    assert "on both sides of it in 1 (VGG-11: r = " in second


def test_networks_that_differ_in_slope_are_not_hidden_behind_one():
    first, *_ = said(rising("vgg11", 0.1) + rising("resnet11", -0.1))
    assert first.startswith("This study does not decide")
    assert "but the networks differ in slope (p = 0.000), so that one for all says little" in first


def test_networks_of_one_family_are_told_to_differ_too():
    first, *_ = said(rising("vgg11", 0.1) + rising("vgg13", -0.1))
    assert "10 points of 2 networks" in first and "differ in slope" in first


def test_methods_that_disagree_are_told_apart():
    slopes = {"slimming": 0.08, "ista": -0.08}
    records = [each for n in ("vgg11", "resnet11") for r, m in slopes.items() for each in rising(n, m, r)]
    first, second, third = said(records)
    assert first.startswith("It depends on the pruning method: pruned by Liu et al.'s method, PK is 8.")
    assert "; pruned by Ye et al.'s method, PK is " in first
    assert "Of 4 pairs of network and method" in second and "VGG-11, Liu et al.: r = " in second
    assert "Liu et al.'s PK less Ye et al.'s is " in third


def test_without_points_there_is_no_slope():
    first, second, third = said(rising("vgg11", 0.1)[:1])
    assert "there is no slope (" in first
    assert second == "Network by network, none of the 1 network has enough points for an interval of r."
    assert "because the study lacks the cells" in third


def test_a_study_without_the_papers_methods_answers_for_its_own():
    first, second, _ = said(study(("vgg11",), ("random",))[0])
    assert "there is no slope" in first
    assert "Of 1 network" in second


@pytest.mark.parametrize(("count", "named"), [(6, True), (7, False)])
def test_many_networks_are_counted_and_not_named(count, named):
    _, second, _ = said([each for name in NETWORKS[:count] for each in rising(name, 0.08)])
    assert f"above 0 in {count}" in second and ("VGG-11: r" in second) == named
