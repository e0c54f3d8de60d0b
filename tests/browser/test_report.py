"""The report as its readers see it."""

import io

import pytest
from made_up_study import EVIL
from PIL import Image, ImageStat

pytestmark = pytest.mark.browser

#: The cells of the scatter plot; the last lies on top.
MARKS = "#scatter svg path[aria-label*='lambda']"


def picked(page):
    return page.inner_text("#picked")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_drawn_at_every_width_and_stays_at_home(opened, width, scheme):
    page = opened(width, scheme)
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("data:")] == [page.url]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out"
    for chart in ("scatter", "curve", "widths"):
        assert page.locator(f"#{chart} svg").count() == 1
        box = page.locator(f"#{chart} svg").bounding_box()
        assert 250 < box["width"] < width and box["height"] > 100
    drawn = page.evaluate("[...document.querySelectorAll('figure img')].map(i => i.complete && i.naturalWidth > 100)")
    assert drawn == [True] * 5
    ink, ground = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    lightness = [sum(map(int, colour[4:-1].split(","))) for colour in (ink, ground)]
    assert (lightness[0] < lightness[1]) == (scheme == "light")


#: Of each chart: the texts that reach out of its picture.
CUT_OFF = """() => ["scatter", "curve", "widths"].flatMap((name) => {
  const svg = document.querySelector(`#${name} svg`), frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")]
    .map((text) => [text.textContent, text.getBoundingClientRect()])
    .filter(([words, box]) => words.trim() && (box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2))
    .map(([words]) => `${name}: ${words}`);
})"""


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_text_of_a_chart_is_cut_off_when_the_page_is_opened(opened, width):
    page = opened(width)
    page.wait_for_function("document.querySelectorAll('#scatter svg text').length > 10")
    assert page.evaluate(CUT_OFF) == []
    assert page.locator("#curve svg text", has_text="accuracy loss (points)").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_and_charts_are_as_light_or_dark_as_the_page(opened, scheme):
    page = opened(1280, scheme)
    for place in ("#figure-repair .paper", "#explore .paper >> nth=0"):
        picture = Image.open(io.BytesIO(page.locator(place).screenshot())).convert("L")
        assert (ImageStat.Stat(picture).mean[0] > 128) == (scheme == "light")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_column_of_a_wide_table_stays_while_it_scrolls(opened, width):
    page = opened(width)
    page.goto(f"{page.url}#table-cells")
    box = page.locator("#table-cells .wide")
    assert box.evaluate("(e) => e.scrollWidth > e.clientWidth"), "the table is wider than its place"
    first = page.locator("#table-cells tbody tr:first-child > :first-child")
    before = first.bounding_box()["x"]
    box.evaluate("(e) => { e.scrollLeft = 400; }")
    assert first.bounding_box()["x"] == pytest.approx(before, abs=1)
    assert first.bounding_box()["width"] < 0.55 * width


def test_a_picked_point_shows_its_curve_its_knee_and_its_widths(opened):
    page = opened()
    assert picked(page).startswith("VGG-11, lambda")
    curve, widths = page.inner_html("#curve svg"), page.inner_html("#widths svg")
    mark = page.locator(MARKS).last
    name = mark.get_attribute("aria-label").split(":")[0]
    mark.click()
    said = picked(page)
    assert said.startswith(name) and not name.startswith("VGG") and "WS " in said and "PK " in said
    assert page.inner_html("#curve svg") != curve and page.inner_html("#widths svg") != widths
    knee = page.locator("#curve svg .role-mark text").all_text_contents()
    assert len(knee) == 1 and knee[0] in said
    assert page.locator("#widths svg path[aria-label*='channels']").count() >= 12
    assert page.locator("#pick option:checked").inner_text().startswith(name)


def test_the_keyboard_alone_picks(opened):
    page = opened()
    before = picked(page)
    page.focus("#pick")
    page.keyboard.press("ArrowDown")
    after = picked(page)
    assert after != before
    page.focus("#recipes input:checked")
    page.keyboard.press("ArrowRight")
    assert EVIL in picked(page) and page.said == []


def test_a_cell_without_a_knee_says_so(opened):
    page = opened()
    label = page.locator("#pick option", has_text="no knee").first.inner_text()
    page.select_option("#pick", label=label)
    assert "no knee" in picked(page) and "Excluded" in picked(page)
    assert "no knee" in page.inner_text("#left")
    assert page.said == []


def test_hostile_names_stay_text(opened):
    page = opened()
    assert page.evaluate("window.evil") is None
    assert EVIL in page.inner_text("#recipes")
    page.locator("#data details").evaluate("(element) => { element.open = true; }")
    assert EVIL in page.inner_text("#data table") and EVIL in page.inner_text("#data")
    page.get_by_label(EVIL).check()
    page.locator(MARKS).last.hover()
    page.wait_for_timeout(100)
    assert page.evaluate("window.evil") is None and page.said == []
    assert page.locator("img:not(figure img)").count() == 0


def test_tables_sort_by_number_and_by_word(opened):
    page = opened()
    page.goto(f"{page.url}#table-cells")
    assert page.locator("#table-cells").evaluate("(details) => details.open"), "a link unfolds its table"
    table = page.locator("#table-cells table")
    heads = table.locator("thead th").all_inner_texts()
    place = next(i for i, head in enumerate(heads) if head.strip() == "WS")
    button = table.locator("thead th").nth(place).locator("button")

    def column():
        cells = table.locator(f"tbody tr td:nth-child({place + 1})").all_inner_texts()
        return [float(cell) for cell in cells]

    shuffled = column()
    button.click()
    assert column() == sorted(shuffled) != shuffled
    assert table.locator("thead th").nth(place).get_attribute("aria-sort") == "ascending"
    button.focus()
    page.keyboard.press("Enter")
    assert column() == sorted(shuffled, reverse=True)
    words = page.locator("#claims table").first
    words.locator("thead button").nth(1).click()
    verdicts = words.locator(".verdict").all_inner_texts()
    assert verdicts == sorted(verdicts)


def test_a_link_to_nothing_breaks_nothing(opened):
    page = opened()
    page.goto(f"{page.url}#%E0")
    page.reload()
    page.wait_for_selector("#widths svg .mark-rect path")
    assert page.said == []


def test_links_lead_to_their_sections(opened):
    page = opened()
    for link in page.locator("nav a").all():
        link.click()
        target = page.locator(f"#{page.url.split('#')[1]}")
        top = target.bounding_box()["y"]
        at_the_end = page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2")
        assert top < 300 or at_the_end
    assert page.said == []


def test_without_javascript_everything_but_picking_is_there(opened):
    page = opened(javascript=False)
    assert page.locator("#explorer").is_hidden()
    assert "needs JavaScript" in page.inner_text("#explore")
    assert page.locator("figure img").count() == 5
    assert page.locator("#claims tbody tr").count() >= 17


def test_on_paper_tables_are_unfolded_and_charts_left_out(opened):
    page = opened()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 1, "the configuration stays folded"
    assert page.locator("#explore").is_hidden() and page.locator("nav").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 1
