import json
from dataclasses import replace
from html.parser import HTMLParser

import pandas
import pytest
from cells_for_tests import censored, record, study

from channel_sparsity.claims.claims import claims
from channel_sparsity.claims.paper import beside_paper
from channel_sparsity.files import sha256
from channel_sparsity.report import pages
from channel_sparsity.report.pages import NOTHING, PAGES, markup, write_table
from channel_sparsity.tables import outcomes
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.comparisons import comparisons
from channel_sparsity.tables.saving import origin


class Table(HTMLParser):
    """What a browser would show: the text of every row, and all tags that were opened."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def cells():
    return tables.cells(study()[0], 0.03)


def read(frame):
    head, *rows = Table(markup(frame)).rows
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_cells_read_in_percent_and_full_names():
    resampled = {"low": 0.6, "high": 0.7, "accuracy_loss_held_out": 0.04}
    scaled = record("resnet20", lam="1e-3", ws=1.234, pk=0.6543, accuracy_loss=0.0321, resampled=resampled)
    scaled["metrics"]["width_scale"] = 0.5
    (row,) = read(tables.cells([scaled], 0.03))
    assert row["Network"] == "ResNet-20 x 0.5"
    assert (row["Lambda"], row["WS"], row["PK (95 % interval)"]) == ("1e-3", "1.23", "65.4 % (60.0 % to 70.0 %)")
    assert (row["Accuracy"], row["Loss at PK, points"], row["... on other clips"]) == ("90.0 %", "3.2", "4.0")
    assert row["Included"] == "yes"
    assert row["Parameters"] == "14,720,000"


def test_what_is_missing_is_a_dash_with_its_reason():
    (row,) = read(tables.cells([record(**censored())], 0.03))
    assert (row["PK (95 % interval)"], row["Included"], row["Reason"]) == (NOTHING, "no", "knee censored at 95.0 %")


def test_intervals_stand_behind_their_estimate(cells):
    table = tables.correlation(cells)
    first, row = table.iloc[0], read(table)[0]
    assert row["r (95 % interval)"] == f"{first['r']:.2f} ({first['r_low']:.2f} to {first['r_high']:.2f})"
    (line, *_) = read(tables.regression(cells))
    assert " to " in line["m (95 % interval)"] and " to " in line["b (95 % interval)"]


def test_the_papers_shares_read_in_percent_and_the_rest_as_numbers():
    cells = tables.cells(study(("vgg16",), ("slimming",))[0], 0.03)
    frame = beside_paper(cells, tables.correlation(cells), tables.regression(cells))
    rows = {row["What"]: row["Paper"] for row in read(frame)}
    assert rows["Table 1, row 1: PK of VGG-16, Liu et al."] == "61.0 %"
    assert rows["Table 1, row 1: WS of VGG-16, Liu et al."] == "0.100"
    assert rows["Table 4: b of VGG-16, Liu et al."] == "0.670"


def test_pairs_and_claims_read_as_sentences_and_intervals():
    cells = tables.cells(study(("vgg11", "vgg13", "vgg16"), ("slimming", "ista"))[0], 0.03)
    margins = {"pk": 0.05, "m": 0.03, "r": 0.1}
    pairs = read(comparisons(cells, margins))
    assert [row["Network"] for row in pairs[::3]] == ["VGG-11", "VGG-13", "VGG-16", "all"]
    assert (pairs[0]["n"], pairs[0]["Margin"]) == ("4", "5.0 %")
    assert pairs[0]["Difference (95 % interval)"].count("%") == 3
    (claim, *_) = read(claims(cells, margins))
    assert claim["The paper says"].startswith("PK grows with the increase of WS")
    assert " to " in claim["Ours (95 % interval)"] and claim["Verdict"] == "supported"


def test_outcomes_and_criteria_say_of_what_they_are_and_show_their_intervals():
    networks = ("vgg11", "resnet11", "mobilenet0.25")
    records, _ = study(networks, ("slimming", "random"), seeds=(1, 2), repairs=("cut", "full"))
    cells = tables.cells(records, 0.03)
    keys = ["recipe", "network", "lam", "seed"]
    knees = {tuple(one[key] for key in keys): one["knee"] for one in records}
    measured = outcomes.outcomes_of(cells, [knees[tuple(row)] for row in cells[keys].itertuples(index=False)])
    compared = outcomes.compare_outcomes(measured, ["random"])
    rows = read(compared.replace({"outcome": outcomes.OUTCOMES}))
    for row, shown in zip(compared.to_dict("records"), rows, strict=True):
        named = {row["criterion"], row["repair"], outcomes.OUTCOMES[row["outcome"]]}
        assert named <= set(shown.values())
        bounded = sum(row[f"{name}_low"] == row[f"{name}_low"] for name in ("m", "m_control", "gain", "reliability"))
        assert sum(" to " in value for value in shown.values()) == bounded
    head, *_ = Table(PAGES["outcomes"].markup(compared)).rows
    assert "r (95 % interval)" not in head, "of all networks together there is none"
    row, *_ = read(outcomes.compare_criteria(measured))
    assert {"slimming", "cut"} <= set(row.values()) and any(" to " in value for value in row.values())


def test_no_two_columns_have_one_name_and_none_says_what_another_says(cells):
    tables_of_study = [cells, tables.correlation(cells), tables.regression(cells)]
    for table in tables_of_study:
        head, *_ = Table(markup(table)).rows
        assert len(set(head)) == len(head)
    head, *_ = Table(markup(cells)).rows
    assert not {"Criterion", "Repair", "PK, parameters"} & set(head) and len(head) <= 14
    for tuned, why, there in ((float("nan"), "", set()), (0.9, "none", {"... fine-tuned unpruned", "Reason"})):
        table = cells.assign(accuracy_unpruned_finetuned=tuned, reason=why)
        assert {"... fine-tuned unpruned", "Reason"} & set(Table(markup(table)).rows[0]) == there


def test_hostile_text_stays_text():
    evil = "<script>alert('&')</script>"
    bad = record(recipe=evil, **{"status": "none", "pk": None, "reason": evil})
    text = replace(PAGES["cells"], title=evil).text(tables.cells([bad], 0.03), evil)
    assert "<script" not in text
    parsed = Table(text)
    assert any(evil in cell for cell in parsed.rows[1])


def test_a_page_opens_offline_and_is_the_same_each_time(cells):
    text = PAGES["cells"].text(cells, "Study x.")
    assert text == PAGES["cells"].text(cells, "Study x.")
    assert "read from the other half. Study x.</p>" in text
    assert "http" not in text
    assert not any({"src", "href"} & set(attributes) for _, attributes in Table(text).tags)


def test_an_empty_table_is_a_page():
    head, *rows = Table(PAGES["cells"].text(tables.cells([], 0.03), "")).rows
    assert head[0] == "Network"
    assert rows == []


def test_no_column_of_a_page_belongs_to_no_table():
    known = {name for page in PAGES.values() for name in page.columns}
    assert set(pages._COLUMNS) <= known


def test_a_table_is_three_files_that_belong_together(tmp_path):
    source = tmp_path / "source.csv"
    source.write_text("a\n")
    paths = [tmp_path / f"measures.{suffix}" for suffix in ("csv", "html", "json")]
    made = pandas.DataFrame(
        {"scope": ["all", "vgg11"], "measure": ["ws", "lambda"], "r": [0.123456789, 0.5], "r_low": [0.1, None]}
    )
    write_table(paths, "measures", made, "A note.", origin({"study": "x"}, {"rule": "0123"}, [source]))
    assert pandas.read_csv(paths[0])["r"].tolist() == [0.123456789, 0.5]
    page = paths[1].read_text()
    assert "WS" in page and "0.12" in page and "lambda" not in page
    assert f"<h1>{PAGES['measures'].title}</h1>" in page and "<p>A note.</p>" in page
    assert json.loads(paths[2].read_text()) == {
        "table": "measures.csv",
        "sha256": sha256(paths[0]),
        "configuration": {"study": "x"},
        "code": {"rule": "0123"},
        "made_from": {str(source): sha256(source)},
    }
