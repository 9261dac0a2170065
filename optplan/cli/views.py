"""Each view of ``show`` in each format."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optplan.reporters.formats.page import Page
    from optplan.reporters.selection import Selection
    from optplan.rules.statistics import EntryStatistics


class ShowView(StrEnum):
    """What ``show`` shows of a plan."""

    PARAMS = "params"
    TREE = "tree"
    SETTINGS = "settings"
    KEYS = "keys"
    LAYERS = "layers"


class ShowFormat(StrEnum):
    """The formats of ``show``."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"


def require_sense(view: ShowView, output_format: ShowFormat, depth: int | None) -> None:
    """Refuse what does not go together, before anything is read.

    Raises:
        UsageError: The view has no such format, or no depth.
    """
    from optplan.errors import UsageError

    if output_format is ShowFormat.CSV and view is not ShowView.PARAMS:
        raise UsageError(
            f"--format csv is for --view params, not for {view}",
            hint=f"--view {view} --format json has the same for programs",
        )
    if depth is not None and view is not ShowView.TREE:
        raise UsageError(f"--depth is for --view tree, not for {view}")


def params_report(
    shown: Selection, output_format: ShowFormat, width: int | None, color: bool
) -> str:
    """A row per name."""
    if output_format is ShowFormat.TEXT:
        from optplan.reporters.show.params import show_text

        return show_text(shown, width=width, color=color)
    if output_format is ShowFormat.JSON:
        from optplan.reporters.show.params_data import show_json

        return show_json(shown.plan, shown.rows, shown.narrowing)
    if output_format is ShowFormat.CSV:
        from optplan.reporters.show.params_data import show_csv

        return show_csv(shown.plan, shown.rows)
    from optplan.reporters.show.pages import params_page

    return _written(params_page(shown), output_format)


def tree_report(
    shown: Selection,
    depth: int | None,
    output_format: ShowFormat,
    width: int | None,
    color: bool,
) -> str:
    """The module tree."""
    if output_format is ShowFormat.TEXT:
        from optplan.reporters.show.tree import tree_text

        return tree_text(shown, depth=depth, width=width, color=color)
    if output_format is ShowFormat.JSON:
        from optplan.reporters.show.view_data import tree_json

        return tree_json(shown, depth=depth)
    from optplan.reporters.show.pages import tree_page

    return _written(tree_page(shown, depth=depth), output_format)


def settings_report(
    shown: Selection, output_format: ShowFormat, width: int | None, color: bool
) -> str:
    """The settings with their members."""
    if output_format is ShowFormat.TEXT:
        from optplan.reporters.show.settings import groups_text

        return groups_text(shown, width=width, color=color)
    if output_format is ShowFormat.JSON:
        from optplan.reporters.show.view_data import groups_json

        return groups_json(shown)
    from optplan.reporters.show.pages import groups_page

    return _written(groups_page(shown), output_format)


def keys_report(
    shown: Selection,
    statistics: Sequence[EntryStatistics],
    output_format: ShowFormat,
    width: int | None,
    color: bool,
) -> str:
    """What each option and key does."""
    if output_format is ShowFormat.TEXT:
        from optplan.reporters.show.keys import keys_text

        return keys_text(shown, statistics, width=width, color=color)
    if output_format is ShowFormat.JSON:
        from optplan.reporters.show.view_data import keys_json

        return keys_json(shown, statistics)
    from optplan.reporters.show.pages import keys_page

    return _written(keys_page(shown, statistics), output_format)


def layers_report(
    shown: Selection, output_format: ShowFormat, width: int | None, color: bool
) -> str:
    """The layers, where the lr goes by layers."""
    if output_format is ShowFormat.TEXT:
        from optplan.reporters.show.layers import layers_text

        return layers_text(shown, width=width, color=color)
    if output_format is ShowFormat.JSON:
        from optplan.reporters.show.view_data import layers_json

        return layers_json(shown)
    from optplan.reporters.show.pages import layers_page

    return _written(layers_page(shown), output_format)


def _written(page: Page, output_format: ShowFormat) -> str:
    if output_format is ShowFormat.MD:
        from optplan.reporters.formats.markdown_page import page_md

        return page_md(page)
    from optplan.reporters.formats.html_page import page_html

    return page_html(page)
