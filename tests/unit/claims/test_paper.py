import numpy
import pytest
from cells_for_tests import LAMBDAS, record, study

from channel_sparsity.claims.paper import TABLE_1, TABLE_3, TABLE_4_B, TABLE_4_M, beside_paper
from channel_sparsity.tables import study as tables

# As printed: v1 to v4 of Liu et al., then of Ye et al.; VGGNets, ResNets, MobileNets.
PRINTED_3 = """
0.979	0.922	0.885	0.687	0.976	0.931	0.928	0.847
0.939	0.938	0.799	0.973	0.896	0.949	0.922	0.690
0.723	0.980	0.988	0.989	0.912	0.991	0.990	0.996
"""
PRINTED_4 = """
0.06	0.05	0.06	0.09	0.05	0.06	0.06	0.12
0.64	0.67	0.67	0.64	0.66	0.66	0.72	0.61
0.05	0.08	0.05	0.08	0.09	0.07	0.07	0.06
0.39	0.32	0.44	0.49	0.28	0.38	0.43	0.54
0.21	0.21	0.16	0.22	0.19	0.19	0.18	0.21
0.23	0.35	0.44	0.39	0.27	0.38	0.43	0.41
"""
PRINTED_1 = """
90.2	0.10	-2.2	67	61	-2.8	73	70
89.4	0.26	-2.0	79	70	-2.0	79	75
90.3	1.10	-3.3	81	76	-3.7	84	81
91.3	1.79	-3.2	83	78	-3.1	86	84
91.0	2.77	-3.4	86	81	-3.7	89	88
93.5	3.44	-4.3	87	86	-4.5	89	89
"""


def printed(text):
    return numpy.array([line.split() for line in text.strip().splitlines()], dtype=float)


def beside(records):
    cells = tables.cells(records, 0.03)
    return beside_paper(cells, tables.correlation(cells), tables.regression(cells))


@pytest.mark.parametrize(("recipe", "columns"), [("slimming", slice(0, 4)), ("ista", slice(4, 8))])
def test_tables_3_and_4_are_as_printed(recipe, columns):
    assert list(TABLE_3[recipe].values()) == printed(PRINTED_3)[:, columns].ravel().tolist()
    assert list(TABLE_4_M[recipe].values()) == printed(PRINTED_4)[::2, columns].ravel().tolist()
    assert list(TABLE_4_B[recipe].values()) == printed(PRINTED_4)[1::2, columns].ravel().tolist()


def test_table_1_is_as_printed_but_for_percent_and_the_sign_of_the_loss():
    ours = [
        [100 * row.accuracy, row.ws]
        + [
            number
            for method in (row.slimming, row.ista)
            for number in (-100 * method.accuracy_loss_at_pk, 100 * method.compression_rate, 100 * method.pk)
        ]
        for row in TABLE_1
    ]
    numpy.testing.assert_allclose(ours, printed(PRINTED_1))


def test_each_number_stands_beside_ours():
    records = study(("vgg11", "mobilenet0.50"), ("slimming", "random"))[0]
    cells = tables.cells(records, 0.03)
    correlation, regression = tables.correlation(cells), tables.regression(cells)
    frame = beside_paper(cells, correlation, regression).set_index("what")
    assert list(frame.columns[:3]) == ["ours", "paper", "difference"]
    assert frame["ours"].notna().sum() == 6  # r, m and b of two networks; the control is in no table of the paper
    assert frame["ours"].notna()[:6].all(), "what the study has comes first"
    row = frame.loc["Table 4: m of MobileNet 0.50, Liu et al."]
    ours = regression.query("network == 'mobilenet0.50' and recipe == 'slimming'").iloc[0]
    assert (row["ours"], row["ours_low"], row["ours_high"], row["paper"]) == (*ours[["m", "m_low", "m_high"]], 0.21)
    assert row["difference"] == pytest.approx(ours["m"] - 0.21)
    r = frame.loc["Table 3: r of VGG-11, Liu et al.", "ours"]
    assert r == correlation.query("network == 'vgg11' and recipe == 'slimming'")["r"].item()


def test_table_1_stands_beside_vgg_16_by_rank_in_ws():
    # WS falls with lambda here, so that rank and lambda differ; two seeds, and one lambda excluded.
    records = [
        record(lam=lam, seed=seed, ws=4.0 - place, pk=0.5 + 0.01 * place + 0.002 * seed, recipe="ista")
        for place, lam in enumerate(LAMBDAS[:4])
        for seed in (1, 2)
    ]
    records += [record(lam="1e-1", accuracy=0.5, ws=0.0, recipe="ista")]
    frame = beside(records)
    table = frame[(frame["table"] == "Table 1") & (frame["recipe"] == "ista")]
    pk, ws = (table[table["quantity"] == name] for name in ("pk", "ws"))
    assert list(pk["paper"]) == [0.70, 0.75, 0.81, 0.84, 0.88, 0.89]
    numpy.testing.assert_allclose(pk["ours"], [0.533, 0.523, 0.513, 0.503, numpy.nan, numpy.nan])
    assert list(pk["reason"]) == [""] * 4 + ["4 lambdas are included"] * 2
    numpy.testing.assert_allclose(ws["ours"][:4], [1, 2, 3, 4])


@pytest.mark.parametrize("records", [[], [record(recipe="random")], study(("vgg11",), ("ista",))[0]])
def test_every_number_of_the_papers_three_tables_is_there(records):
    frame = beside(records)
    assert frame["what"].is_unique
    assert frame["table"].value_counts().to_dict() == {"Table 1": 60, "Table 3": 24, "Table 4": 48}
    for recipe, columns in (("slimming", slice(0, 4)), ("ista", slice(4, 8))):
        own = frame[frame["recipe"] == recipe].set_index(["quantity", "network"])["paper"]
        assert own["r"].to_dict() == TABLE_3[recipe]
        assert sorted(own["m"]) == sorted(printed(PRINTED_4)[::2, columns].ravel())
    assert (frame["ours"].notna() | (frame["reason"] != "")).all(), "what is missing says why"


def test_what_is_undefined_is_missing_and_a_scaled_network_says_so():
    scaled = record("vgg11")
    scaled["metrics"]["width_scale"] = 0.25
    frame = beside([scaled]).set_index("what")
    assert frame["ours"].isna().all() and frame["difference"].isna().all()
    assert frame.loc["Table 3: r of VGG-11 x 0.25, Liu et al.", "reason"] == "needs at least 3 points, has 1"
    other = frame.loc["Table 3: r of VGG-11 x 0.25, Ye et al.", "reason"]
    assert other == "the study does not prune VGG-11 x 0.25 by Ye et al."
