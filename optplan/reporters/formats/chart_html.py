"""A chart with its legend as HTML; the script of the page draws it."""

from __future__ import annotations

import json
from html import escape
from math import isfinite

from optplan.reporters.formats.report import Chart, ChartCurve
from optplan.reporters.formats.visible import visible


def chart_html(chart: Chart, number: int) -> str:
    """Return the section of a chart.

    Args:
        chart: The chart.
        number: Its number on the page.
    """
    scale = " checked" if chart.is_log else ""
    return "\n".join(
        (
            f'<section class="chart" aria-labelledby="chart{number}">',
            f'<h2 id="chart{number}">{text_html(chart.title)}</h2>',
            '<div class="tools"><button type="button" name="all">show all</button>',
            '<button type="button" name="none">hide all</button>',
            f'<label><input type="checkbox" name="scale"{scale}> logarithmic</label>',
            '<output aria-live="polite"></output></div>',
            (
                '<svg viewBox="0 0 960 420" tabindex="0" role="img" '
                f'aria-label="{text_html(chart.title)}; arrow keys move the point that is read off"></svg>'
            ),
            "<ul>",
            *(_entry(curve) for curve in chart.curves),
            "</ul>",
            f'<script type="application/json">{_data(chart)}</script>',
            "</section>",
        )
    )


def _entry(curve: ChartCurve) -> str:
    of = f' <small class="name">{text_html(curve.names)}</small>' if curve.names else ""
    return (
        '<li><label><input type="checkbox" checked> <span class="swatch" aria-hidden="true"></span> '
        f"<span>{text_html(curve.label)}{of}</span></label><output></output></li>"
    )


def text_html(text: str) -> str:
    """Return text that is no markup."""
    return escape(visible(text))


def _data(chart: Chart) -> str:
    """Return what the script draws; a curve that several settings share is written once."""
    places: dict[tuple[float | None, ...], int] = {}
    settings = [
        {
            "curve": places.setdefault(tuple(map(_short, curve.values)), len(places)),
            "rank": round(curve.rank, 4),
        }
        for curve in chart.curves
    ]
    data = {
        "unit": chart.unit,
        "per_epoch": chart.per_epoch,
        "steps": chart.steps,
        "ticks": chart.ticks,
        "settings": settings,
        "curves": list(places),
    }
    # '<' would end the script
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _short(value: float | None) -> float | None:
    """Return as many digits as are read off."""
    return float(f"{value:.6g}") if value is not None and isfinite(value) else None
