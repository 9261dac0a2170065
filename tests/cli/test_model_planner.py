"""Plans from what is remembered are those that torch and timm make, message for message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm

from optplan.app import model_planner
from optplan.app import plan as app_plan
from optplan.app.cached_plan import CachedPlans
from optplan.app.model_planner import NamedModel
from optplan.app.sources import open_source
from optplan.cache import Store
from optplan.cache.cache_key import cache_key
from optplan.config import NO_BATCH, Config, load_config
from optplan.dialects.function.load import FunctionConfig
from optplan.errors import OptplanError, Problem
from optplan.model import configured, load
from optplan.model.meta import build_on_meta
from optplan.plan import Planned
from optplan.runtime.gate import import_named
from optplan.runtime.user_code import import_for_user, user_attribute
from tests.conftest import SAMPLES, Invoke
from tests.test_samples import command_of, samples, show_of

# All others name code of their own, or a model, or are another trainer's recipes.
REMEMBERED = {
    "auto_scale_lr.py", "bag_of_tricks.py", "bias_lr.py", "depthwise.py", "inherited.py", "layer_decay.py",
    "layer_ramp.py", "mmcv1_detector.py", "resnet18.json", "resnet18.toml", "resnet18.yaml", "vit_adamw.py",
}  # fmt: skip
ARCHITECTURES = timm.list_models()[7::27]
TRICKS = str(SAMPLES / "bag_of_tricks.py")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "cache"))


def opened(store: Store) -> CachedPlans:
    """A memory that vouches for what this process has done so far."""
    return CachedPlans(store, cache_key(store))


class Unbuildable(NamedModel):
    """Knows everything, or fails the test."""

    def _opened(self) -> Any:
        raise AssertionError(f"{self._name} is built")


def config_of(path: str | Path, *overrides: str) -> Config:
    found = open_source(str(path), overrides=overrides)
    assert isinstance(found, Config)
    return found


def planned(store: Store, config: Config, model: str, **arguments: Any) -> Planned:
    """A plan that is made, and again from what was remembered meanwhile."""
    first = NamedModel(model, arguments, opened(store))(config)
    again = Unbuildable(model, arguments, opened(store))(config)
    assert again.plan.to_json() == first.plan.to_json()
    assert again == first
    return first


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_sample_configs(
    path: Path, store: Store, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*show_of(command_of(path)), "--format", "json")
    alone = invoke(*words, "--no-cache")
    assert (alone.returncode, alone.stderr) == (0, "")
    built: list[Any] = []

    def build(*arguments: Any) -> Any:
        built.append(arguments)
        return build_on_meta(*arguments)

    for module in (load, configured):
        monkeypatch.setattr(module, "build_on_meta", build)
    for user in (model_planner, app_plan):
        monkeypatch.setattr(user, "cached_plans", lambda: opened(store))
    assert invoke(*words) == alone
    assert len(built) == 1
    assert invoke(*words) == alone
    assert len(built) == (1 if path.name in REMEMBERED else 2)


def test_a_list_of_layers(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "layers.py"
    file.write_text(
        "optimizer = dict(type='SGD', lr=1.0, constructor='LayerDecayOptimizerConstructor',\n"
        "    paramwise_cfg=dict(layer_decay_rate=0.5, layers=['layer{1,2}.*', '*']))\n"
    )
    found = planned(store, config_of(file), "resnet18")
    assert {row.layer for row in found.plan.parameters} == {0, 1}
    # the layers are the config's, not the model's
    known = opened(store).model("resnet18", {})
    assert known is not None
    assert {facts.layer for facts in known.parameters} == {None}
    assert opened(store).models.get("resnet18", {}, has_layers=True) is None


def hf_folder(tmp_path: Path, **entries: Any) -> str:
    from transformers import LlamaConfig

    tiny = {"vocab_size": 11, "hidden_size": 8, "intermediate_size": 12, "num_attention_heads": 2}
    LlamaConfig(**{**tiny, "num_hidden_layers": 1, **entries}).save_pretrained(tmp_path)
    return f"hf:{tmp_path}"


def test_models_of_transformers(store: Store, tmp_path: Path) -> None:
    tiny = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    planned(store, config_of(TRICKS), "hf:llama", **tiny)
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("hf:llama", {**tiny, "num_hidden_layers": 2}, opened(store))
    spec = hf_folder(tmp_path)
    planned(store, config_of(TRICKS), spec)
    hf_folder(tmp_path, vocab_size=12)  # the same file with other entries
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable(spec, {}, opened(store))


def test_another_transformers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    planned(store, config_of(TRICKS), "hf:llama", **tiny)
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("hf:llama", tiny, opened(store))
    monkeypatch.undo()
    other = ["another folder", "another version", "another state"]
    monkeypatch.setattr("optplan.cache.models.transformers_key", lambda *_: {"transformers": other})
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("hf:llama", tiny, opened(store))


@pytest.mark.sweep
def test_architectures(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    config = config_of(TRICKS, "optim_wrapper.paramwise_cfg.bypass_duplicate=True")
    assert len(ARCHITECTURES) >= 50
    for name in ARCHITECTURES:
        planned(store, config, name)


def test_a_plan_of_known_parts_is_a_new_plan(store: Store) -> None:
    """Another lr, another key: what is remembered is not the plan."""
    planned(store, config_of(TRICKS), "resnet18")
    other = config_of(TRICKS, "optim_wrapper.optimizer.lr=0.3")
    again = Unbuildable("resnet18", {}, opened(store))(other)
    assert again.plan.optimizers[0].lr == 0.3
    assert {row.lr for row in again.plan.parameters} == {0.3}


def test_arguments_are_part_of_the_name(store: Store) -> None:
    narrow = planned(store, config_of(TRICKS), "resnet18", num_classes=3)
    wide = planned(store, config_of(TRICKS), "resnet18", num_classes=7)
    assert narrow.plan.parameters[-1].shape == (3,)
    assert wide.plan.parameters[-1].shape == (7,)
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("resnet18", {}, opened(store))


GOOD = "optim_wrapper = dict(optimizer=dict({}), paramwise_cfg=dict({}))"
SGD, ADAM = "type='SGD', lr=0.1, weight_decay=0.01", "type='AdamW', lr=0.1, betas=(0.9, 0.99)"

BAD = {
    "no section": "model = dict(type='x')",
    "a section that is no dict": "optim_wrapper = 3",
    "no optimizer": "optim_wrapper = dict(type='OptimWrapper')",
    "no type": GOOD.format("lr=0.1", ""),
    "a type that is a number": GOOD.format("type=3, lr=0.1", ""),
    "an optimizer that there is not": GOOD.format("type='SDG', lr=0.1", ""),
    "an optimizer of another package": GOOD.format("type='Lion', lr=0.1", ""),
    "a dotted type that there is not": GOOD.format("type='torch.optim.SDG', lr=0.1", ""),
    "a type that is no optimizer": GOOD.format("type='torch.optim.lr_scheduler.StepLR'", ""),
    "an unknown argument": GOOD.format(f"{SGD}, momentun=0.9", ""),
    "an argument of another class": GOOD.format(f"{SGD}, betas=(0.9, 0.99)", ""),
    "a negative lr": GOOD.format("type='SGD', lr=-0.1", ""),
    "a negative weight decay": GOOD.format("type='SGD', lr=0.1, weight_decay=-0.1", ""),
    "a negative momentum": GOOD.format(f"{SGD}, momentum=-0.9", ""),
    "an lr that is text": GOOD.format("type='SGD', lr='0.1'", ""),
    "nesterov alone": GOOD.format(f"{SGD}, nesterov=True", ""),
    "betas of one": GOOD.format("type='AdamW', lr=0.1, betas=(0.9, 1.0)", ""),
    "one beta": GOOD.format("type='AdamW', lr=0.1, betas=0.9", ""),
    "betas of text": GOOD.format("type='AdamW', lr=0.1, betas=('a', 'b')", ""),
    "an argument that is a dict": GOOD.format(f"{SGD}, momentum=dict(a=1)", ""),
    "groups for LBFGS": GOOD.format("type='LBFGS', lr=0.1", "bias_lr_mult=2.0"),
    "vectors for Muon": GOOD.format("type='Muon', lr=0.1", ""),
    "an option that is text": GOOD.format(SGD, "norm_decay_mult='0'"),
    "a key that is no dict": GOOD.format(SGD, "custom_keys=dict(layer1=0.1)"),
    "a multiplier that is text": GOOD.format(SGD, "custom_keys=dict(layer1=dict(lr_mult='x'))"),
    "a negative multiplier": GOOD.format(SGD, "custom_keys=dict(layer1=dict(lr_mult=-1.0))"),
    "a decay multiplier without a decay": GOOD.format(ADAM, "norm_decay_mult=0.0"),
    "a key without an lr": GOOD.format("type='AdamW'", "custom_keys=dict(layer1=dict(lr_mult=1))"),
    "an infinite lr": GOOD.format(SGD, "custom_keys=dict(layer1=dict(lr=float('inf')))"),
    "misplaced options": "optim_wrapper = dict(optimizer=dict(type='SGD', lr=1, paramwise_cfg={}))",
    "an unknown constructor": f"optimizer = dict({SGD}, constructor='MyConstructor')",
    "a constructor of another package": f"optimizer = dict({SGD}, constructor='nobody.Constructor')",
    "a constructor that no import has": "custom_imports = dict(imports=['nobody'])\n"
    f"optimizer = dict({SGD}, constructor='Nobodys')",
    "a scope that is a number": f"default_scope = 3\noptimizer = dict({SGD})",
    "a constructor that is a number": f"optimizer = dict({SGD}, constructor=5)",
}


def refusal(planner: NamedModel, config: Config) -> tuple[type[OptplanError], list[Problem]]:
    with pytest.raises(OptplanError) as caught:
        planner(config)
    return type(caught.value), [replace(one, place=None) for one in caught.value.problems]


def places(error_of: NamedModel, config: Config) -> list[str]:
    with pytest.raises(OptplanError) as caught:
        error_of(config)
    return [str(one.place) for one in caught.value.problems]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A model and the optimizers of the bad configs, as far as they work."""
    folder = tmp_path_factory.mktemp("known")
    store = Store(str(folder / "cache"))
    for number, (optimizer, options) in enumerate(
        [(SGD, ""), (ADAM, ""), (SGD, "norm_decay_mult=0."), (f"{SGD}, momentum=0.9", "")]
    ):
        file = folder / f"{number}.py"
        file.write_text(GOOD.format(optimizer, options))
        planned(store, config_of(file), "resnet18")
    return store


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_configs_get_the_same_message(text: str, known: Store, tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(text)
    with_memory = NamedModel("resnet18", {}, opened(known))
    without = NamedModel("resnet18", {}, None)
    config = config_of(file)
    assert refusal(with_memory, config) == refusal(without, config)
    assert places(with_memory, config) == places(without, config)


def test_models_that_need_files_are_not_remembered(store: Store) -> None:
    NamedModel("resnet18", {"pretrained": False}, opened(store))(config_of(TRICKS))
    assert opened(store).model("resnet18", {"pretrained": False}) is None


USER_MODEL = """
import timm
from torch import nn

class Mine(nn.Linear):
    def __init__(self):
        super().__init__(3, 4)

def resnet():
    return timm.create_model('resnet18')
"""


@pytest.mark.parametrize("attr", ["Mine", "resnet"])
def test_models_of_the_users_own_are_not_remembered(
    attr: str, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(USER_MODEL)
    memory = opened(store)
    before = {entry.path for entry in store.entries()}
    NamedModel(f"{file}:{attr}", {}, memory)(config_of(TRICKS))
    # nor anything that the process makes after it
    NamedModel("resnet18", {}, memory)(config_of(TRICKS))
    assert {entry.path for entry in store.entries()} == before
    assert opened(store).model(f"{file}:{attr}", {}) is None


def test_configs_that_run_code_close_the_memory(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "custom_imports = dict(imports=['xml.dom.pulldom'])\noptimizer = dict(type='SGD', lr=1)"
    )
    memory = opened(store)
    NamedModel("resnet18", {}, memory)(config_of(file))
    before = {entry.path for entry in store.entries()}
    NamedModel("resnet18", {}, memory)(config_of(TRICKS))
    assert {entry.path for entry in store.entries()} == before


def test_trusted_configs_are_not_planned_from_memory(store: Store) -> None:
    planned(store, config_of(TRICKS), "resnet18")
    trusted = replace(config_of(TRICKS), trusted=True)
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("resnet18", {}, opened(store))(trusted)


def test_functions_are_not_planned_from_memory(store: Store, tmp_path: Path) -> None:
    planned(store, config_of(TRICKS), "resnet18")
    file = tmp_path / "mine.py"
    file.write_text("def groups(model):\n    return [{'params': list(model.parameters())}]\n")
    config = config_of(f"{file}:groups")
    assert isinstance(config, FunctionConfig)
    with pytest.raises(AssertionError, match="is built"):
        Unbuildable("resnet18", {}, opened(store))(config)


def test_a_process_with_torch_opens_no_memory(store: Store) -> None:
    """Code of others may have run in it."""
    assert CachedPlans.opened(store).model("resnet18", {}) is None
    assert not CachedPlans.opened(store).vouches_for(config_of(TRICKS), NO_BATCH)


def test_damaged_entries_cost_a_build_alone(store: Store) -> None:
    first = planned(store, config_of(TRICKS), "resnet18")
    for entry in store.entries():
        Path(entry.path).write_text("{}")
    again = NamedModel("resnet18", {}, opened(store))(config_of(TRICKS))
    assert again.plan == first.plan
    Unbuildable("resnet18", {}, opened(store))(config_of(TRICKS))


RUNS: dict[str, Callable[[Path], object]] = {
    "a package": lambda file: import_named("xml.etree.ElementInclude", trusted=False),
    "a file": lambda file: user_attribute(str(file), "value", OptplanError),
    "a file for --import": lambda file: import_for_user(str(file)),
    "a trusted config": lambda file: load_config(file, trust=True),
}


@pytest.mark.parametrize("run_code", RUNS.values(), ids=RUNS)
def test_code_of_others_closes_the_memory(
    run_code: Callable[[Path], object], store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "others_code.py"
    file.write_text("value = 3\n")
    memory = opened(store)
    planned(store, config_of(TRICKS), "resnet18")
    assert memory.model("resnet18", {}) is not None
    run_code(file)
    assert memory.model("resnet18", {}) is None
    assert not memory.vouches_for(config_of(TRICKS), NO_BATCH)
    sys.modules.pop("others_code", None)


def test_what_a_build_says_is_said_again(store: Store) -> None:
    old = "vit_tiny_patch16_224_in21k"
    for _ in range(2):
        with pytest.warns(UserWarning, match="deprecated model name"):
            NamedModel(old, {}, opened(store))(config_of(SAMPLES / "vit_adamw.py"))
    assert opened(store).model(old, {}) is None
