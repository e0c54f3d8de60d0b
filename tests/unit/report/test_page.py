"""The whole page: self-contained, escaped, reproducible, small."""

import base64
import hashlib
import io
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from made_up_study import CONFIGURATION, EVIL, FIGURES, TEMPLATES, MadeUp, configuration
from PIL import Image, ImageChops

from channel_sparsity.claims.claims import COLUMNS
from channel_sparsity.configuration import curves_of, lambdas_of
from channel_sparsity.figures import style
from channel_sparsity.naming import FAMILIES, NETWORKS, Family
from channel_sparsity.report import page
from channel_sparsity.report.pages import PAGES
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.study import read_table


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.scripts, self.inside = [], "", [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.text += data


@pytest.fixture(scope="module")
def written(made_up):
    return made_up.page()


def test_nothing_is_loaded_and_only_our_scripts_may_run(written):
    read = Elements(written)
    for tag, attributes in read.elements:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    policy = next(a["content"] for _, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")
    _, *scripts = read.scripts
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 2 and policy.endswith(" ".join(f"'sha256-{digest}'" for digest in digests))
    assert "@import" not in written and "url(" not in written


def test_every_link_leads_somewhere_and_every_id_is_its_own(written):
    elements = Elements(written).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"][1:] for tag, attributes in elements if tag == "a"}
    assert links <= set(ids) and {"answer", "claims", "figure-readings", "table-readings"} <= links


def test_names_stay_text_wherever_they_come_from(tmp_path):
    config = configuration(lambdas=("0", "1e-6", "1e-5"), networks=("vgg11",))
    block = config["datasets"]["tau2020"]
    block["record"]["licence"] = EVIL
    block["devices"] = [EVIL]
    config["dataset"], config["datasets"] = EVIL, {EVIL: block}
    config["study"] = EVIL
    config["curves"] = [{"recipe": EVIL}]
    config["recipes"][EVIL] = {"method": "slimming"}
    read = Elements(MadeUp(tmp_path, config, scenes=(EVIL, "bus"), drawn=False).page())
    assert "x" not in {attributes.get("src") for _, attributes in read.elements}
    assert [tag for tag, _ in read.elements].count("script") == 3
    # Study, data set, device, licence, scene, recipe.
    assert read.text.count(EVIL) >= 8
    cells = json.loads(read.scripts[0])["content"]["cells"]
    assert dict(zip(cells["names"], cells["rows"][0], strict=True))["recipe"] == EVIL


def test_the_same_files_give_the_same_bytes_and_times_differ_in_one_section(made_up, written, tmp_path):
    assert made_up.page() == written
    shutil.copytree(made_up.folder, tmp_path / "again")
    slower = MadeUp(tmp_path / "slower", made_up.config, seconds=90.0, drawn=False).page()
    assert slower != written

    def without_cost(text):
        return re.sub(r'<section id="cost">.*?</section>', "", text, flags=re.DOTALL)

    assert without_cost(slower) == without_cost(written)


def test_a_full_study_stays_under_the_limit(tmp_path):
    """The paper's study, by what a cell adds; the library that draws takes 0.9 MB, figures 2.5 MB."""
    config = configuration(networks=("vgg11",)) | {"curves": CONFIGURATION["curves"]}
    one, two = (MadeUp(tmp_path / f"{len(seeds)}", config | {"seeds": seeds}, drawn=False) for seeds in ([1], [1, 2]))
    a_cell = (len(two.page()) - len(one.page())) / len(one.cells)
    grids = sum(len(lambdas_of(CONFIGURATION, network)) for _, network in curves_of(CONFIGURATION))
    cells = grids * len(CONFIGURATION["seeds"])
    assert cells > 900
    assert len(one.page()) + (cells - len(one.cells)) * a_cell + 900_000 + 2_500_000 < 5_000_000


def test_what_the_page_shows_of_a_study(made_up, written):
    text = " ".join(Elements(written).text.split())
    assert "does not know the licence" not in text and CONFIGURATION["datasets"]["tau2020"]["record"]["licence"] in text
    excluded = made_up.cells[~made_up.cells["included"]]
    assert len(excluded) == 4 and all(reason in text for reason in excluded["reason"])
    assert f"<summary>4 of {len(made_up.cells)} cells</summary>" in section(written, "excluded")
    for name in ("Table 1", "Table 3", "Table 4", "Figure 1", "Figure 2", "Figure 3"):
        assert name in text
    assert "0123456789abcdef" in text and "synthetic" not in text


def test_a_study_on_a_gpu_and_on_another_axis_is_called_so(made_up, written, tmp_path):
    assert "the share of the channels" in written and "on every x86-64 processor" in written
    assert "computed on" not in written
    other = MadeUp(tmp_path, made_up.config | {"knee": made_up.config["knee"] | {"axis": "masked"}}, drawn=False)
    (tmp_path / "digests.txt").write_text("# device: NVIDIA H200\n")
    text = " ".join(Elements(other.page()).text.split())
    assert "it is the share of the parameters" in text and "percentage points of channels" not in text
    assert "on the same kind of device (NVIDIA H200)" in text and "on: NVIDIA H200." in text and "x86-64" not in text


def section(written, name):
    """A section of the page, from its heading on."""
    return re.search(rf'<section id="{name}">.*?</section>', written, flags=re.DOTALL)[0]


def test_networks_may_be_of_a_family_that_neither_the_paper_nor_a_setting_names(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "further", Family("Further", ("further4",)))
    for module in (style, tables):
        monkeypatch.setattr(module, "NETWORKS", (*NETWORKS, "further4"))
    config = configuration(networks=("further4",)) | {"width_scale": {}}
    assert "Further-4" in Elements(MadeUp(tmp_path, config, drawn=False).page()).text


def test_the_answer_comes_first_with_its_word_its_figure_and_what_stands_beside(made_up, written):
    assert re.search(r"<section[^>]*>", written)[0] == '<section id="answer">'
    answer, others = section(written, "answer"), section(written, "figures")
    said = made_up.values()["answer"]
    assert f'<p class="answer">{said.verdict}.</p>' in answer
    text = " ".join(Elements(answer).text.split())
    assert all(sentence in text for sentence in (said.sentence, *said.beside)) and len(said.beside) > 1
    assert re.findall(r'id="figure-(\w+)"', answer) == ["repair"]
    assert re.findall(r'id="figure-(\w+)"', others) == [name for name in FIGURES if name != "repair"]


def test_claims_that_the_study_cannot_judge_are_folded_away(made_up, written):
    claims = read_table(made_up.folder / "tables/claims.csv", COLUMNS)
    known = int(claims["estimate"].notna().sum())
    shown, folded = section(written, "claims").split("<details>")
    rows = [part.count('<th scope="row"') for part in (shown, folded)]
    assert rows == [known, len(claims) - known] and min(rows) > 0
    assert f"<summary>{len(claims) - known} claims that this study cannot judge</summary>" in folded


def test_every_dose_of_repair_has_its_cells_and_its_words(tmp_path):
    config = configuration(repairs=("cut", "statistics", "full"), seeds=(1, 2))
    study = MadeUp(tmp_path, config, drawn=False)
    values = study.values()
    assert set(study.cells["recipe"]) == {
        *("slimming-cut", "slimming-statistics", "slimming", "random-cut", "random-statistics", "random")
    }
    assert len(values["content"]["content"]["cells"]["rows"]) == 2 * 6 * 4 * 2
    assert "with only the running statistics taken anew" in values["answer"].sentence
    doses = ("with no repair", "with the full fine-tuning")
    assert all(any(dose in text for text in values["answer"].beside) for dose in doses)
    assert "slimming-statistics" in values["sizes"]["recipes"]


def test_a_finished_table_stands_on_the_page_as_on_its_own(made_up):
    name, table, markup = made_up.values()["tables"][0]
    assert (table.title, name) == ("Every pruned network", "cells")
    assert markup.count("<tr>") == len(made_up.cells) + 1
    assert str(markup) in PAGES["cells"].text(made_up.cells, "Study x.")


def test_a_caption_is_a_title_and_a_paragraph(tmp_path):
    path = tmp_path / "ws_vs_pk.svg"
    path.write_text("<svg/>")
    figure = page.figure(path, "**Figure 3: both.**\n\nOne line\nand another.\n")
    assert (figure.title, figure.caption) == ("Figure 3: both", "One line and another.")
    assert base64.b64decode(figure.source.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"


def test_a_figure_of_too_many_marks_is_shown_in_pixels_and_says_so(tmp_path):
    path = tmp_path / "ws_vs_pk.svg"
    path.write_text("<svg>" + "<g/>" * (page.VECTOR_BYTES // 4) + "</svg>")
    drawn = Image.new("RGBA", (300, 200), "white")
    drawn.paste("#0072b2", (10, 10, 100, 100))
    drawn.save(path.with_suffix(".png"))
    figure = page.figure(path, "**Title.**\n\nWords.")
    shown = Image.open(io.BytesIO(base64.b64decode(figure.source.removeprefix("data:image/webp;base64,"))))
    assert ImageChops.difference(shown.convert("RGB"), drawn.convert("RGB")).getbbox() is None, "the same picture"
    assert figure.name == "ws_vs_pk" and figure.caption.startswith("Words. Shown in pixels")


def test_a_figure_whose_pixels_are_larger_stays_sharp(tmp_path):
    path = tmp_path / "ws_vs_pk.svg"
    path.write_text("<svg>" + "<g/>" * (page.VECTOR_BYTES // 4) + "</svg>")
    Image.effect_noise((1000, 1000), 80).convert("RGB").save(path.with_suffix(".png"))
    figure = page.figure(path, "**Title.**\n\nWords.")
    assert figure.source.startswith("data:image/svg+xml") and figure.caption == "Words."


def test_a_script_that_would_end_its_element_is_refused():
    with pytest.raises(ValueError, match="cannot stand in a page"):
        page.render(TEMPLATES / "page", "x = '</SCRIPT>'", {})
