"""The chart of a schedule in a real browser: switching settings on and off, reading a point off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.reporters.test_browser import CONTRASTS, browser, opened, scheme
from tests.reporters.test_schedule import schedule_html, view_of

__all__ = ["browser"]


@pytest.fixture
def chart(browser: webdriver.Chrome, tmp_path: Path) -> webdriver.Chrome:
    """Three settings through a warm-up and a cosine, opened."""
    return opened(browser, schedule_html(view_of()), tmp_path)


def lines(chart: webdriver.Chrome) -> list[str]:
    """Which settings are drawn."""
    found = chart.find_elements(By.CSS_SELECTOR, "svg polyline")
    return [str(line.get_attribute("data-setting")) for line in found]


def boxes(chart: webdriver.Chrome) -> list[Any]:
    return chart.find_elements(By.CSS_SELECTOR, ".chart li input")


def read_off(chart: webdriver.Chrome) -> list[str]:
    """The step, and the value of each setting there."""
    step = chart.find_element(By.CSS_SELECTOR, ".tools output").text
    return [step, *(one.text for one in chart.find_elements(By.CSS_SELECTOR, ".chart li output"))]


def button(chart: webdriver.Chrome, name: str) -> Any:
    return chart.find_element(By.CSS_SELECTOR, f".chart button[name={name}]")


def test_settings_are_switched_off_and_on(chart: webdriver.Chrome) -> None:
    assert lines(chart) == ["0", "1", "2"]
    boxes(chart)[1].click()
    assert lines(chart) == ["0", "2"]
    button(chart, "none").click()
    assert lines(chart) == []
    boxes(chart)[2].click()
    assert lines(chart) == ["2"]
    button(chart, "all").click()
    assert lines(chart) == ["0", "1", "2"]
    assert all(box.is_selected() for box in boxes(chart))


def test_a_point_is_read_off_with_keys(chart: webdriver.Chrome) -> None:
    assert read_off(chart) == ["epoch 0", "0.0001", "1e-5", "3e-7"]
    svg = chart.find_element(By.CSS_SELECTOR, "svg")
    svg.send_keys(Keys.END)
    last = read_off(chart)
    assert last[0] == "epoch 99"
    assert [float(value) for value in last[1:]] == pytest.approx(
        [0.001038, 0.0001038, 3.1145e-06], rel=1e-3
    )
    svg.send_keys(Keys.HOME)
    for _ in range(20):
        svg.send_keys(Keys.ARROW_RIGHT)
    assert read_off(chart) == ["epoch 20", "0.1", "0.01", "0.0003"]
    svg.send_keys(Keys.PAGE_DOWN)
    assert read_off(chart)[0] == "epoch 15"


def test_a_point_is_read_off_with_the_pointer(chart: webdriver.Chrome) -> None:
    svg = chart.find_element(By.CSS_SELECTOR, "svg")
    # the drawing is 960 wide, its first step at 76 and its last at 946
    scale = svg.size["width"] / 960
    middle = svg.size["width"] / 2
    for step in (0, 20, 61, 99):
        at = (76 + (946 - 76) * step / 99) * scale - middle
        ActionChains(chart).move_to_element_with_offset(svg, round(at), 10).perform()
        assert read_off(chart)[0] == f"epoch {step}"
    dots = chart.find_elements(By.CSS_SELECTOR, "svg circle")
    assert len(dots) == 3


def heights(chart: webdriver.Chrome) -> list[float]:
    """How high each curve stands at epoch 20, in pixels from the top."""
    found = chart.find_elements(By.CSS_SELECTOR, "svg polyline")
    points = [str(line.get_attribute("points")).split() for line in found]
    return [float(own[20].split(",")[1]) for own in points]


def test_the_scale(chart: webdriver.Chrome) -> None:
    box = chart.find_element(By.CSS_SELECTOR, "input[name=scale]")
    assert box.is_selected()
    first, second, third = heights(chart)
    assert first == pytest.approx(14)
    # ten times less is as far below as another factor of ten would be
    ratio = (third - first) / (second - first)
    assert ratio == pytest.approx(2.523, abs=0.01)
    box.click()
    first, second, third = heights(chart)
    assert first == pytest.approx(14)
    assert second == pytest.approx(372 - 35.8, abs=0.1)
    assert third > 370


def test_light_and_dark_are_readable(chart: webdriver.Chrome) -> None:
    for name in ("light", "dark"):
        scheme(chart, name)
        _, contrast = chart.execute_script(CONTRASTS)
        assert contrast >= 4.5
    scheme(chart, "")


def test_it_is_all_there(chart: webdriver.Chrome) -> None:
    assert [h.text for h in chart.find_elements(By.TAG_NAME, "h2")] == [
        "lr",
        "2 schedulers",
        "lr by epoch",
    ]
    svg = chart.find_element(By.CSS_SELECTOR, "svg")
    assert svg.accessible_name == "lr; arrow keys move the point that is read off"
    texts = [text.text for text in svg.find_elements(By.TAG_NAME, "text")]
    assert {"0", "20", "99", "epoch"} <= set(texts)
    log = chart.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [entry for entry in log if entry["level"] == "SEVERE"]
