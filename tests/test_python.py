"""What an interactive session has: the functions, what they print, and what a notebook shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import optplan
from optplan.errors import UsageError
from optplan.plan import Plan as PlanClass
from tests.conftest import ROOT, Invoke

CONFIG = ROOT / "sample_configs" / "bag_of_tricks.py"
RAMP = ROOT / "sample_configs" / "layer_ramp.py"
PLAIN: dict[str, Any] = {"optimizer": {"type": "SGD", "lr": 0.1}}
DOCS = ROOT / ".github" / "docs" / "python.md"


@pytest.fixture(scope="module")
def plan() -> optplan.Plan:
    return optplan.plan(CONFIG, "resnet18")


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, optplan; optplan.plan; optplan.schedule; optplan.Plan; "
        "print([n for n in ('torch', 'rich', 'numpy', 'yaml') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_packages_are_functions_and_packages() -> None:
    code = (
        "import optplan.plan, optplan.schedule; from optplan.plan import Plan; import optplan.plan as p; "
        "print(p.Plan is Plan, callable(optplan.plan), callable(optplan.schedule), p is optplan.plan)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True True True\n"


def test_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    told = re.findall(r"^(\w.+)  # (0\.0|'norm'|True|False)$", blocks[0], re.MULTILINE)
    assert len(told) == 4
    for line, value in told:
        assert repr(eval(line, names)) == value or str(eval(line, names)) == value.strip("'")


def test_as_the_command_has_it(plan: optplan.Plan, invoke: Invoke) -> None:
    done = invoke("show", CONFIG, "--model", "resnet18", "--format", "json", "--no-cache")
    assert optplan.Plan.from_json(done.stdout).parameters == plan.parameters


@pytest.mark.parametrize("config", [str(CONFIG), CONFIG, optplan.load_config(CONFIG)])
def test_whatever_a_config_is(config: Any, plan: optplan.Plan) -> None:
    assert optplan.plan(config, "resnet18").settings == plan.settings


def test_a_module_is_left_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    found = optplan.plan(PLAIN, model)
    assert [row.name for row in found.parameters] == [name for name, _ in model.named_parameters()]
    assert not any(one.is_meta for one in model.parameters())
    assert optplan.plan(CONFIG, model).parameters[2].weight_decay == 0


def test_which_model() -> None:
    with pytest.raises(UsageError, match="which model"):
        optplan.plan(PLAIN)


def test_options_are_those_of_the_command_line() -> None:
    found = optplan.plan(CONFIG, "resnet18", overrides={"optim_wrapper.optimizer.lr": 0.25})
    assert found.optimizers[0].lr == 0.25
    scaled = optplan.plan(
        ROOT / "sample_configs" / "auto_scale_lr.py", "resnet18", batch=optplan.Batch(world_size=16)
    )
    assert scaled.settings[0].lr == pytest.approx(0.2)
    narrow = optplan.plan(PLAIN, "resnet18", model_arguments={"num_classes": 7})
    assert narrow.parameters[-1].shape == (7,)


def test_saved_and_loaded(plan: optplan.Plan, tmp_path: Path) -> None:
    file = tmp_path / "new" / "plan.json"
    plan.save(file)
    loaded = optplan.Plan.load(str(file))
    assert loaded == plan
    assert list(file.parent.iterdir()) == [file]
    assert optplan.plan(file) == plan
    with pytest.raises(UsageError, match="the rules that won"):
        loaded.explain("bn1.weight")
    with pytest.raises(optplan.OptplanError, match="cannot read"):
        optplan.Plan.load(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(optplan.OptplanError, match="cannot write"):
        plan.save(tmp_path / "file" / "plan.json")


def test_what_is_printed(plan: optplan.Plan) -> None:
    assert repr(plan) == "<Plan of resnet18: 62 parameters, 2 settings>"
    first, *rest = str(plan).splitlines()
    assert first.startswith("resnet18 · timm · 62 parameters")
    assert len(rest) == 4
    assert [
        line.split()[1] for line in str(plan.tree(1)).splitlines() if "─" in line or "├" in line
    ]
    assert "norm_decay_mult" in str(plan.explain("bn1.weight"))
    with pytest.raises(UsageError, match="matches no parameter"):
        plan.explain("bn9.weight")


def test_differences(plan: optplan.Plan) -> None:
    other = optplan.plan(CONFIG, "resnet18", overrides={"optim_wrapper.optimizer.lr": 0.25})
    found = plan.diff(other)
    assert found.optimizers[0].change.after == 0.25
    assert "0.1  →  0.25" in str(found)
    assert plan.diff(plan).is_same
    assert not optplan.diff(plan, other).is_same
    first, second = (ROOT / "sample_configs" / f"resnet18.{end}" for end in ("yaml", "json"))
    assert optplan.diff(first, second, model="resnet18").changed == 22
    with pytest.raises(UsageError, match="compared with"):
        optplan.diff(plan)


def test_schedules() -> None:
    given: Any = {"iters_per_epoch": 1251, "at": ("20ep", "100%")}
    found = optplan.schedule(RAMP, "vit_small_patch16_224", **given)
    assert [*found.points] == [20 * 1251, 125099]
    text = str(found)
    assert "CosineAnnealingLR" in text
    assert len(text.splitlines()) < 12
    model = optplan.load_model("vit_small_patch16_224")
    same = optplan.schedule(optplan.load_config(RAMP), model, **given)
    assert same.courses_of("lr") == found.courses_of("lr")


def test_findings() -> None:
    found = optplan.check(ROOT / "tests" / "checks" / "bad_configs" / "broken.py", models=False)
    assert found.fails
    assert "broken.py" in str(found)


class Balanced(HTMLParser):
    """Fails where a tag is not closed in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_in_a_notebook(plan: optplan.Plan) -> None:
    other = optplan.plan(PLAIN, "resnet18")
    shown = {
        "plan": plan,
        "tree": plan.tree(),
        "explanation": plan.explain("bn1.*"),
        "diff": plan.diff(other),
        "schedule": optplan.schedule(RAMP, "vit_small_patch16_224", iters_per_epoch=10),
        "check": optplan.check(CONFIG, model="resnet18"),
    }
    for name, one in shown.items():
        html = one._repr_html_()
        parser = Balanced()
        parser.feed(html)
        assert not parser.open, name
        assert "script" not in parser.seen, name
        assert ("table" in parser.seen) == (name not in ("explanation", "check")), name
    assert "norm ×0" in plan._repr_html_()


def test_markup_in_names_is_text() -> None:
    model = nn.Module()
    model.add_module("<script>x", nn.Linear(2, 2))
    model.add_module("norm", nn.LayerNorm(2))
    html = optplan.plan(PLAIN, model).explain("*")._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;x.weight" in html


def test_a_table_of_pandas(plan: optplan.Plan) -> None:
    table = plan.to_dataframe()
    assert len(table) == 62
    assert table.loc[table["name"] == "bn1.weight", "weight_decay"].item() == 0.0
    assert table["elements"].sum() == plan.model.elements


def test_without_pandas(plan: optplan.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(optplan.OptplanError, match="pip install pandas"):
        plan.to_dataframe()


def test_what_a_plan_was_made_from_is_no_part_of_it(plan: optplan.Plan) -> None:
    assert plan.made_from is not None
    assert "made_from" not in json.loads(plan.to_json())
    assert isinstance(plan, PlanClass)
