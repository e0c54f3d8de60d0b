import subprocess
import sys

import pytest

from channel_sparsity.files import StudyError
from channel_sparsity.naming import FAMILIES, NETWORKS, PAPER_NETWORKS, family, label, variant


def test_the_twelve_networks_fill_table_2():
    assert [family(network) for network in PAPER_NETWORKS] == [
        kind for kind in ("vgg", "resnet", "mobilenet") for _ in range(4)
    ]
    assert set(PAPER_NETWORKS) <= set(NETWORKS)


def test_a_variant_is_a_place_in_the_family():
    for each in FAMILIES.values():
        assert [variant(network) for network in each.networks] == [f"v{n + 1}" for n in range(len(each.networks))]


def test_a_network_is_named_after_its_familys_file_and_a_number():
    assert [network.rstrip("0123456789.") for network in NETWORKS] == [family(network) for network in NETWORKS]


def test_a_scaled_network_says_so():
    assert label("vgg16") == label("vgg16", 1.0) == "VGG-16"
    assert label("resnet11", 0.25) == "ResNet-11 x 0.25"
    assert label("mobilenet0.50", 0.5) == "MobileNet 0.50 x 0.5"


@pytest.mark.parametrize("ask", [family, variant, label])
def test_an_unknown_network_is_named_with_the_known_ones(ask):
    with pytest.raises(StudyError, match=r"vgg12.*vgg11, vgg13"):
        ask("vgg12")


def test_tables_and_figures_need_no_torch():
    """Every number in a table can be made again on a machine without it."""
    code = """
import sys
from channel_sparsity.figures import paper as figures
from channel_sparsity.measuring import knee
from channel_sparsity.report import pages
from channel_sparsity.claims import paper
from channel_sparsity.figures import style as plotting
from channel_sparsity.measuring import sparsity
from channel_sparsity.statistics import regression as statistics
from channel_sparsity.tables import study as tables
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
