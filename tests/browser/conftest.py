"""The report of a made-up study, opened in Debian's Chromium."""

import os
import shutil

import pytest
from made_up_study import EVIL, MadeUp, configuration
from playwright.sync_api import sync_playwright

from channel_sparsity.report import charts


@pytest.fixture(scope="session")
def browser():
    program = shutil.which("chromium")
    if program is None:
        fail_or_skip = pytest.fail if os.environ.get("SKIPPED_MEANS_FAILED") else pytest.skip
        fail_or_skip("there is no chromium: apt install chromium, or whatever brings it elsewhere")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """Its file, with hostile names of a scene, a device and a recipe; `MadeUp` as `study`."""
    folder = tmp_path_factory.mktemp("made-up")
    config = configuration(("vgg11", "resnet11", "mobilenet0.25"), ("slimming", EVIL))
    config["recipes"][EVIL] = {"method": "slimming"}
    config["datasets"]["tau2020"] |= {"devices": [EVIL]}
    study = MadeUp(folder, config, scenes=(EVIL, "bus"))
    path = folder / "report.html"
    path.write_text(study.page(charts.runtime()), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, report):
    """A function that opens the report: `page.said` is what the console said, `page.asked` what the page asked for."""
    contexts = []

    def open_page(width=1280, scheme="light", javascript=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(report.as_uri())
        if javascript:
            page.wait_for_selector("#widths svg .mark-rect path")
        return page

    yield open_page
    for context in contexts:
        context.close()
