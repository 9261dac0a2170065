"""lr and decay by depth and module type in each format, literally."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

import optplan
from optplan.plan.layer_table import depth_grid
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.layered_models import layered_model
from tests.plans import row
from tests.schema import validate
from tests.views import Transformer, on_meta, selection

PARAMWISE = {
    "custom_keys": {
        f"blocks.{block}.{end}": {"lr_mult": 0.1 ** (3 - block), **decay}
        for block in range(3)
        for end, decay in {"": {}, "norm": {"decay_mult": 0.0}}.items()
    }
}
MAPS = """\

 lr
 block      Transformer  LayerNorm  Linear
 (model)          0.001
 blocks.0                    1e-06   1e-06
 blocks.1                    1e-05   1e-05
 blocks.2                   0.0001  0.0001
 head                                0.001

 weight_decay
 block      Transformer  LayerNorm  Linear
 (model)           0.05
 blocks.0                        0    0.05
 blocks.1                        0    0.05
 blocks.2                        0    0.05
 head                                 0.05

 lr × weight_decay
 block      Transformer  LayerNorm  Linear
 (model)          5e-05
 blocks.0                        0   5e-08
 blocks.1                        0   5e-07
 blocks.2                        0   5e-06
 head                                5e-05
"""

CASES = [
    # Swin: the longest path that holds modules
    (
        ["layers.0.blocks.1.attn.qkv.weight", "layers.0.downsample.norm.weight"],
        ["layers.0.blocks.1", "layers.0"],
    ),
    # ResNet: a Sequential of leaves is no block
    (
        ["conv1.weight", "layer1.0.conv1.weight", "layer1.0.downsample.0.weight"],
        ["conv1", "layer1.0"],
    ),
    (["net.0.weight", "net.2.weight"], ["net.0", "net.2"]),
    (["scale"], [""]),
]


@pytest.fixture(scope="module")
def shown() -> Selection:
    return selection(on_meta(Transformer), PARAMWISE)


def report(shown: Selection, form: TableFormat, **more: Any) -> str:
    return show_report(ShowView.DEPTH, shown, form, **more)


def test_in_a_pipe_plain_numbers(shown: Selection) -> None:
    text = report(shown, TableFormat.TEXT)
    squeezed = [" ".join(line.split()) for line in text.splitlines()]
    wanted = [" ".join(line.split()) for line in MAPS.splitlines()]
    assert squeezed[2 : 2 + len(wanted)] == wanted
    assert "\x1b" not in text


def test_in_a_terminal_colours_from_small_to_large(shown: Selection) -> None:
    text = report(shown, TableFormat.TEXT, width=80, color=True)
    lines = text.splitlines()
    lowest = next(line for line in lines if "blocks.0" in line)
    highest = next(line for line in lines if "head" in line)
    assert "\x1b[30;44m" in lowest  # black on blue
    assert "\x1b[30;41m" in highest  # black on red


@pytest.mark.parametrize("width", [30, 45])
def test_columns_go_on_below(shown: Selection, width: int) -> None:
    lines = report(shown, TableFormat.TEXT, width=width).splitlines()
    maps = lines[lines.index(" lr") : lines.index(" weight_decay")]
    assert max(map(cell_len, maps)) <= width
    assert sum("LayerNorm" in line for line in maps) == 1


def test_as_json(shown: Selection) -> None:
    found = json.loads(report(shown, TableFormat.JSON))
    validate(found, "depth-view-1.0")
    cells = {(cell["block"], cell["module"]): cell for cell in found["cells"]}
    assert len(cells) == 8
    norm, linear = cells["blocks.1", "LayerNorm"], cells["blocks.1", "Linear"]
    assert norm["names"] == [
        f"blocks.1.norm{one}.{end}" for one in (1, 2) for end in ("weight", "bias")
    ]
    assert (norm["weight_decay"], norm["lr_times_weight_decay"]) == ([0.0, 0.0], [0.0, 0.0])
    assert linear["lr"] == pytest.approx([1e-5, 1e-5])
    assert linear["lr_times_weight_decay"] == pytest.approx([5e-7, 5e-7])


def test_pages_have_three_maps(shown: Selection) -> None:
    page = report(shown, TableFormat.HTML)
    assert page.count("<table>") == 3
    assert 'style="--heat:0.000"' in page
    assert 'style="--heat:1.000"' in page
    table = report(shown, TableFormat.MD)
    assert "| `blocks.2` |  | 0.0001 | 0.0001 |" in table


def test_layers_that_the_constructor_counts() -> None:
    config = {
        "optim_wrapper": {
            "optimizer": {"type": "SGD", "lr": 0.5, "weight_decay": 0.25},
            "constructor": "LayerDecayOptimizerConstructor",
            "paramwise_cfg": {"layer_decay_rate": 0.1},
        }
    }
    plan = optplan.make_plan(layered_model("Classifier"), config)
    text = report(Selection(plan=plan, rows=plan.parameters), TableFormat.TEXT)
    (row, *_) = (line.split() for line in text.splitlines() if "blocks.1" in line)
    assert row[:2] == ["backbone.blocks.1", "2"]


@pytest.mark.parametrize(("names", "blocks"), CASES)
def test_blocks(names: list[str], blocks: list[str]) -> None:
    assert list(depth_grid([row(name) for name in names])) == blocks
