import pytest
from cells_for_tests import record

from channel_sparsity.claims.paper import beside_paper
from channel_sparsity.naming import PAPER_NETWORKS, label
from channel_sparsity.report.beside import beside
from channel_sparsity.report.pages import NOTHING
from channel_sparsity.tables import study as tables

WS = (0.2, 0.9, 1.4, 2.6)


def layouts(network, recipes=("slimming",)):
    cells = tables.cells(
        [
            record(network, recipe, lam, ws=ws, pk=0.6 + 0.05 * ws + 0.01 * (lam == "1e-6"))
            for recipe in recipes
            for lam, ws in zip(("0", "1e-6", "1e-5", "1e-4"), WS, strict=True)
        ],
        0.03,
    )
    return beside(beside_paper(cells, tables.correlation(cells), tables.regression(cells)), {network: 0.5})


def test_table_1_stands_beside_cells_of_the_same_rank():
    table, *_ = layouts("vgg16", ("slimming", "ista"))
    assert table.heads[:5] == ("Row", "Accuracy: ours", "Accuracy: paper", "WS: ours", "WS: paper")
    assert [row[0] for row in table.rows] == list("123456")
    assert [row[3] for row in table.rows] == ["0.20", "0.90", "1.40", "2.60", NOTHING, NOTHING]
    assert [row[4] for row in table.rows] == ["0.10", "0.26", "1.10", "1.79", "2.77", "3.44"]
    # PK by Ye et al.: the paper's last.
    assert table.heads[-1] == "Ye et al., PK: paper" and table.rows[-1][-1] == "89.0 %"
    assert "not in this study" in table.caption and "same rank in WS" in table.caption


def test_columns_of_ours_without_a_number_are_left_out():
    table_1, table_3, table_4 = layouts("vgg11")
    assert not [head for head in table_1.heads if head.endswith("ours")] and len(table_1.heads) == 9
    assert table_3.heads == ("Network", "Liu et al.: ours", "Liu et al.: paper", "Ye et al.: paper")
    assert "left out" in table_3.caption and "left out" in table_4.caption


@pytest.mark.parametrize("place", [1, 2])
def test_tables_3_and_4_have_the_papers_networks_in_its_order(place):
    table = layouts("vgg11")[place]
    names = ["VGG-11 x 0.5", *map(label, PAPER_NETWORKS[1:])]
    assert [row[0].split(",")[0] for row in table.rows] == [name for name in names for _ in range(place)]
    assert table.rows[0][1].count("(") == 1 and all(row[1] == NOTHING for row in table.rows[place:])


def test_printed_numbers_are_the_papers():
    _, table_3, table_4 = layouts("vgg11")
    assert [row[2] for row in table_3.rows] == [
        *("0.979", "0.922", "0.885", "0.687", "0.939", "0.938", "0.799", "0.973", "0.723", "0.980", "0.988", "0.989")
    ]
    assert table_4.rows[-2][2:] == ["0.22", "0.21"] and table_4.rows[-1][2:] == ["0.39", "0.41"]
