"""The HTML report in a real browser: sorting, filtering, light and dark, names as they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from optplan.reporters.formats import TableFormat
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.views import MarkedUp, Transformer, on_meta, selection

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with a profile of its own; CI has to have one."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        reason = "no chromium and chromedriver: apt-get install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def tree(browser: webdriver.Chrome, tmp_path: Path) -> webdriver.Chrome:
    """The tree of a model with a layer decay, opened."""
    keys = {f"blocks.{block}.": {"lr_mult": 0.1 ** (3 - block)} for block in range(3)}
    shown = selection(on_meta(Transformer), {"custom_keys": keys})
    return opened(browser, show_report(ShowView.TREE, shown, TableFormat.HTML), tmp_path)


def opened(browser: webdriver.Chrome, text: str, folder: Path) -> webdriver.Chrome:
    page = folder / "page.html"
    page.write_text(text, encoding="utf-8")
    browser.get(page.as_uri())
    return browser


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    """The texts of a column, of the rows that can be seen."""
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [row.find_elements(By.TAG_NAME, "td")[number].text for row in rows if row.is_displayed()]


def head(browser: webdriver.Chrome, text: str) -> Any:
    return next(
        button
        for button in browser.find_elements(By.CSS_SELECTOR, "th button")
        if button.text.rstrip(" ↑↓") == text
    )


MODULES = ["Transformer", "cls_token", "blocks", "blocks.0", "blocks.1", "blocks.2", "head"]


def test_clicking_a_head_sorts_up_then_down_then_not(tree: webdriver.Chrome) -> None:
    assert column(tree, 0) == MODULES
    head(tree, "lr").click()
    assert column(tree, 3)[:4] == ["1e-06", "1e-05", "1e-06–0.0001", "0.0001"]
    cell = tree.find_element(By.CSS_SELECTOR, "th[aria-sort]")
    assert cell.get_attribute("aria-sort") == "ascending"
    head(tree, "lr").click()
    assert column(tree, 3)[-4:] == ["1e-06–0.0001", "0.0001", "1e-05", "1e-06"]
    assert cell.get_attribute("aria-sort") == "descending"
    head(tree, "lr").click()
    assert column(tree, 0) == MODULES
    assert cell.get_attribute("aria-sort") is None


def test_numbers_are_sorted_as_numbers(tree: webdriver.Chrome) -> None:
    head(tree, "parameters").click()
    assert column(tree, 1) == ["1", "2", "10", "10", "10", "30", "33"]
    head(tree, "elements").send_keys(Keys.ENTER)
    assert column(tree, 2) == ["4", "10", "112", "112", "112", "336", "350"]


def test_text_is_sorted_as_text(tree: webdriver.Chrome) -> None:
    head(tree, "module").click()
    assert column(tree, 0) == sorted(MODULES, key=str.lower)


def test_typing_filters(tree: webdriver.Chrome) -> None:
    field = tree.find_element(By.CSS_SELECTOR, "input")
    field.send_keys("BLOCKS. 1e")
    assert column(tree, 0) == ["blocks.0", "blocks.1"]
    assert tree.find_element(By.TAG_NAME, "output").text == "2 of 7 rows"
    head(tree, "lr").click()
    head(tree, "lr").click()
    assert column(tree, 0) == ["blocks.1", "blocks.0"]
    field.clear()
    field.send_keys(" ")
    assert sorted(column(tree, 0)) == sorted(MODULES)
    assert tree.find_element(By.TAG_NAME, "output").text == ""


def scheme(browser: webdriver.Chrome, name: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": name}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


CONTRASTS = """
const channel = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = (text) => {
  const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(channel);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = light(getComputedStyle(document.body).backgroundColor);
const found = [];
for (const element of document.querySelectorAll("h1, small, h2, p, label, th button, td, td span")) {
  if (!element.textContent) continue;
  const ink = light(getComputedStyle(element).color);
  found.push((Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05));
}
return [paper, Math.min(...found)];
"""


def test_light_and_dark_are_readable(browser: webdriver.Chrome, tmp_path: Path) -> None:
    shown = selection("FrozenAndTied", {"bypass_duplicate": True, "norm_decay_mult": 0.0})
    opened(browser, show_report(ShowView.PARAMS, shown, TableFormat.HTML), tmp_path)
    papers = {}
    for name in ("light", "dark"):
        scheme(browser, name)
        papers[name], contrast = browser.execute_script(CONTRASTS)
        assert contrast >= 4.5  # what WCAG AA asks of text
    assert papers["light"] > 0.9
    assert papers["dark"] < 0.05
    scheme(browser, "")


def test_the_ramp_is_drawn(tree: webdriver.Chrome) -> None:
    bars = tree.find_elements(By.CSS_SELECTOR, "td .bar")
    styles = [str(bar.get_attribute("style")) for bar in bars]
    lengths = [float(style.split("--low:")[1].split(";")[0]) for style in styles]
    assert lengths == [0.1, 1.0, 0.1, 0.1, 0.4, 0.7, 1.0]
    assert all(bar.size["width"] > 50 and bar.size["height"] > 2 for bar in bars)


def test_headings_and_labels_are_there(tree: webdriver.Chrome) -> None:
    assert tree.find_element(By.TAG_NAME, "h1").text == "Transformer module tree"
    assert [h.text for h in tree.find_elements(By.TAG_NAME, "h2")] == ["7 rows"]
    for cell in tree.find_elements(By.TAG_NAME, "th"):
        assert cell.get_attribute("scope") == "col"
    assert tree.find_element(By.TAG_NAME, "input").accessible_name.strip() == "Filter"


@pytest.mark.parametrize("view", ["params", "tree"])
def test_names_stay_names(view: str, browser: webdriver.Chrome, tmp_path: Path) -> None:
    keys = {name: {"lr_mult": 0.5} for name in MarkedUp.NAMES}
    shown = selection(on_meta(MarkedUp), {"custom_keys": keys})
    text = (
        show_report(ShowView.PARAMS, shown, TableFormat.HTML)
        if view == "params"
        else show_report(ShowView.TREE, shown, TableFormat.HTML)
    )
    opened(browser, text, tmp_path)
    names = "\n".join(column(browser, 0))
    for name in ("[red]", "<script>alert(1)", "a|b", "tick`s``", r"esc\x1b[31m", "&lt;b&gt;"):
        assert name in names
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [entry for entry in log if entry["level"] == "SEVERE"]
