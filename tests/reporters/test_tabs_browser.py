"""A whole page in a real browser: its tabs, and tables of 1,000 and 100,000 rows of which it makes those in sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from optplan.reporters.formats.html import Tab, render_tabs
from optplan.reporters.formats.report import Cell, Column, Report, Sheet
from tests.conftest import Invoke
from tests.reporters.test_browser import CONTRASTS, browser, column, head, opened, scheme

__all__ = ["browser"]

COLUMNS = (Column("parameter", is_name=True), Column("lr", is_number=True), Column("rule"))
VIT = ("sample_configs/layer_ramp.py", "--model", "vit_small_patch16_224")


def report(count: int) -> Report:
    """Rows with a path, a number that falls, and markup."""
    rows = tuple(
        (
            Cell(f"{at}.<b>", above="blocks.", order=None),
            Cell(f"{1 / (at + 1):.6g}", order=1 / (at + 1)),
            Cell("norm" if at % 1000 == 999 else "default", "quiet" if at % 2 else ""),
        )
        for at in range(count)
    )
    sheet = Sheet(title=f"{count} rows", columns=COLUMNS, rows=rows)
    return Report(
        title="net", view="params", text=tuple, data=dict, records=tuple, sheets=lambda: [sheet]
    )


def shown(chrome: webdriver.Chrome) -> list[str]:
    """The names of the rows that are made, read at once."""
    found: list[str] = chrome.execute_script(
        "return Array.from(document.querySelectorAll('.virtual tbody tr:not(.space)'),"
        " row => row.cells[0].textContent)"
    )
    return found


@pytest.fixture(params=[1_000, 100_000])
def long(
    request: pytest.FixtureRequest, browser: webdriver.Chrome, tmp_path: Path
) -> tuple[webdriver.Chrome, int]:
    page = render_tabs([Tab(name="params", report=report(request.param))], chosen="params")
    return opened(browser, page, tmp_path), request.param


def test_the_first_paint(long: tuple[webdriver.Chrome, int]) -> None:
    chrome, _ = long
    script = (
        "return performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)"
    )
    # the entry is there a moment after the paint
    paints: list[float] = WebDriverWait(chrome, 10).until(lambda one: one.execute_script(script))
    loaded: float = chrome.execute_script(
        "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    assert len(paints) == 1
    assert paints[0] < 2000
    assert loaded < 4000
    assert shown(chrome)[:2] == ["blocks.0.<b>", "blocks.1.<b>"]


def test_only_rows_in_sight_are_made(long: tuple[webdriver.Chrome, int]) -> None:
    chrome, count = long
    view = chrome.find_element(By.CSS_SELECTOR, ".scroll")
    assert len(shown(chrome)) < 120
    table = chrome.find_element(By.TAG_NAME, "table")
    assert table.get_attribute("aria-rowcount") == str(count + 1)
    for share in (0.5, 1.0):
        chrome.execute_async_script(
            "const [view, share, done] = arguments; view.scrollTop = view.scrollHeight * share;"
            " requestAnimationFrame(() => requestAnimationFrame(done));",
            view,
            share,
        )
        names = shown(chrome)
        assert len(names) < 120
        middle = int(names[len(names) // 2].split(".")[1])
        assert abs(middle - share * count) < 200
    assert shown(chrome)[-1] == f"blocks.{count - 1}.<b>"
    last = chrome.find_elements(By.CSS_SELECTOR, "tbody tr[aria-rowindex]")[-1]
    assert last.get_attribute("aria-rowindex") == str(count + 1)
    # the headings stay in sight
    tops: list[float] = chrome.execute_script(
        "const box = one => document.querySelector(one).getBoundingClientRect();"
        " return [box('.scroll').top, box('thead th').top]"
    )
    assert tops[1] == pytest.approx(tops[0], abs=2)


def test_sorting_and_filtering(long: tuple[webdriver.Chrome, int]) -> None:
    chrome, count = long
    head(chrome, "lr").click()
    assert shown(chrome)[0] == f"blocks.{count - 1}.<b>"
    head(chrome, "parameter").send_keys(Keys.ENTER)
    assert shown(chrome)[:3] == ["blocks.0.<b>", "blocks.1.<b>", "blocks.2.<b>"]
    field = chrome.find_element(By.CSS_SELECTOR, "input")
    field.send_keys("NORM 99")
    assert shown(chrome)[0] == "blocks.999.<b>"
    output = chrome.find_element(By.TAG_NAME, "output")
    assert output.text == f"{count // 1000} of {count} rows"
    field.clear()
    field.send_keys("nothing of this")
    assert shown(chrome) == []
    assert output.text == f"0 of {count} rows"


def test_values_stay_on_a_line_in_light_and_dark(long: tuple[webdriver.Chrome, int]) -> None:
    chrome, _ = long
    heights: list[float] = chrome.execute_script(
        "return Array.from(document.querySelectorAll('tr[aria-rowindex] td'),"
        " cell => cell.getBoundingClientRect().height)"
    )
    assert max(heights) - min(heights) < 1
    for name in ("light", "dark"):
        scheme(chrome, name)
        _, contrast = chrome.execute_script(CONTRASTS)
        assert contrast >= 4.5
    scheme(chrome, "")


def tabs(chrome: webdriver.Chrome) -> dict[str, Any]:
    return {one.text: one for one in chrome.find_elements(By.CSS_SELECTOR, "[role=tab]")}


def chosen(chrome: webdriver.Chrome) -> tuple[list[str], list[str | None]]:
    """The tabs that are chosen, and the panels that can be seen."""
    own = [n for n, tab in tabs(chrome).items() if tab.get_attribute("aria-selected") == "true"]
    panels = chrome.find_elements(By.CSS_SELECTOR, "[role=tabpanel]")
    return own, [one.get_attribute("aria-labelledby") for one in panels if one.is_displayed()]


def page(
    words: tuple[str, ...], invoke: Invoke, browser: webdriver.Chrome, folder: Path
) -> webdriver.Chrome:
    done = invoke(*words, "--format", "html")
    assert done.stderr == ""
    return opened(browser, done.stdout, folder)


VIEWS = ["params", "tree", "settings", "keys", "layers", "depth"]


def test_all_views_of_a_plan(invoke: Invoke, browser: webdriver.Chrome, tmp_path: Path) -> None:
    config = ("sample_configs/vit_adamw.py", "--model", "vit_small_patch16_224")
    chrome = page(("show", *config, "--view", "tree"), invoke, browser, tmp_path)
    found = list(tabs(chrome))
    assert [one for one in found if one not in ("schedule", "decay")] == VIEWS
    assert chosen(chrome) == (["tree"], ["tab1"])
    tabs(chrome)["settings"].click()
    assert chosen(chrome) == (["settings"], ["tab2"])
    tabs(chrome)["settings"].send_keys(Keys.ARROW_RIGHT)
    assert chosen(chrome)[0] == ["keys"]
    assert chrome.switch_to.active_element.text == "keys"
    chrome.switch_to.active_element.send_keys(Keys.HOME)
    assert chosen(chrome)[0] == ["params"]
    assert "blocks.0.attn.qkv.weight" in column(chrome, 0)
    address = chrome.current_url.partition("#")[0]
    chrome.get(f"{address}#depth")
    assert chosen(chrome)[0] == ["depth"]
    log = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [entry for entry in log if entry["level"] == "SEVERE"]


def test_a_schedule_with_its_plan(
    invoke: Invoke, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    chrome = page(("schedule", *VIT, "--iters-per-epoch", "10"), invoke, browser, tmp_path)
    assert list(tabs(chrome))[:2] == ["schedule", "decay"]
    assert {"params", "layers", "depth"} <= set(tabs(chrome))
    strokes: list[str] = chrome.execute_script(
        "return Array.from(document.querySelectorAll('svg polyline'), line => line.style.stroke)"
    )
    drawn = chrome.find_elements(By.CSS_SELECTOR, "svg polyline")
    points = [line.get_attribute("points") for line in drawn]
    boxes = chrome.find_elements(By.CSS_SELECTOR, ".chart li input")
    assert len(boxes) > len(drawn)  # settings whose lr goes the same way, with and without decay
    assert len(set(points)) == len(points)
    hues = [float(one.split()[-1].rstrip(")")) for one in strokes]
    assert hues == sorted(hues, reverse=True)
    assert "blocks.3." in chrome.find_element(By.CSS_SELECTOR, ".chart ul").text
    marks = [one.text for one in chrome.find_elements(By.CSS_SELECTOR, ".chart svg text")]
    assert "0.001" in marks
    chrome.find_element(By.CSS_SELECTOR, "input[name=scale]").click()
    marks = [one.text for one in chrome.find_elements(By.CSS_SELECTOR, ".chart svg text")]
    assert {"0", "0.0005", "0.001"} <= set(marks)


def test_a_difference_with_both_plans(
    invoke: Invoke, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    sides = ("sample_configs/resnet18.yaml", "sample_configs/resnet18.json")
    done = invoke("diff", *sides, "--model", "resnet18", "--format", "html", "--full")
    assert done.returncode == 1
    chrome = opened(browser, done.stdout, tmp_path)
    assert list(tabs(chrome)) == [
        "diff",
        "before: settings",
        "before: params",
        "after: settings",
        "after: params",
    ]
    text = chrome.find_element(By.ID, "panel0").text
    assert "'fc' ×10" in text
    assert "22 of 62 parameters change" in text
    tabs(chrome)["after: params"].click()
    assert "layer4.1.bn2.weight" in column(chrome, 0)
