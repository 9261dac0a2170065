"""What fixes do to optimizers: mmengine's own, of the config before and after, on models of several libraries."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from optplan.app.check import Mending, check_configs
from optplan.checks import ALL_CHECKS
from optplan.checks.session import Request
from optplan.checks.tool_config import Target
from optplan.config.edits import FixKind
from tests.checks.test_fix_corpus import misspelt
from tests.reference import ReferenceOptimizer, run_reference_section

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mmengine.config import Config

OPTIONS = ("norm_decay_mult", "bias_decay_mult", "flat_decay_mult", "bias_lr_mult")
_CONFIGS = 24


def _hugging_face() -> nn.Module:
    module: nn.Module = AutoModel.from_config(AutoConfig.for_model("distilbert"))
    return module


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[str, ...]]] = {
    "resnet18": (lambda: timm.create_model("resnet18"), ("layer1", "layer4.0", "fc")),
    "vit_tiny_patch16_224": (
        lambda: timm.create_model("vit_tiny_patch16_224"),
        ("pos_embed", "blocks.3", "head"),
    ),
    "mobilenetv3_small_050": (
        lambda: timm.create_model("mobilenetv3_small_050"),
        ("blocks.2", "conv_stem", "classifier"),
    ),
    "hf:distilbert": (_hugging_face, ("embeddings", "layer.2", "LayerNorm")),
}


def _section(chance: random.Random, keys: tuple[str, ...]) -> dict[str, Any]:
    """An optimizer section with options and custom keys of a model."""
    options: dict[str, Any] = {
        name: chance.choice((0.0, 0.5, 2.0)) for name in chance.sample(OPTIONS, 2)
    }
    custom = {
        key: {
            name: chance.choice((0.0, 0.1, 3.0))
            for name in chance.sample(("lr_mult", "decay_mult"), chance.choice((1, 2)))
        }
        for key in chance.sample(keys, 2)
    }
    return {
        "optimizer": {"type": "AdamW", "lr": 0.01, "weight_decay": 0.05},
        "paramwise_cfg": {**options, "custom_keys": custom},
    }


def _with_mistake(section: dict[str, Any], chance: random.Random) -> tuple[dict[str, Any], str]:
    """The section with an option or a field of a key misspelt, or one that nothing reads; where that is."""
    paramwise = section["paramwise_cfg"]
    kind = chance.choice(("option", "field", "unread"))
    if kind == "unread":
        return {**section, "paramwise_cfg": {"frobnicate": 3, **paramwise}}, ""
    if kind == "option":
        name = chance.choice([one for one in paramwise if one != "custom_keys"])
        wrong = {misspelt(name, chance) if one == name else one: v for one, v in paramwise.items()}
        return {**section, "paramwise_cfg": wrong}, ""
    keys = paramwise["custom_keys"]
    key = chance.choice(list(keys))
    field = chance.choice(list(keys[key]))
    fields = {misspelt(one, chance) if one == field else one: v for one, v in keys[key].items()}
    wrong = {**paramwise, "custom_keys": {**keys, key: fields}}
    return {**section, "paramwise_cfg": wrong}, key


def _settings(model: nn.Module, path: Path) -> dict[str, tuple[float, float]]:
    """The lr and weight decay of each parameter in the optimizer that mmengine builds of a config."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        section = Config.fromfile(path).optim_wrapper.to_dict()
    made = run_reference_section(model, section, mmcv=False)
    assert isinstance(made, ReferenceOptimizer)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: (group.final["lr"], group.final["weight_decay"])
        for group in made.groups
        for parameter in group.params
    }


@pytest.mark.sweep
@pytest.mark.parametrize("name", MODELS)
def test_optimizers_change_by_the_mended_entry_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(name)
    build, keys = MODELS[name]
    with torch.device("meta"):
        model = build()
    meant, places = {}, {}
    for number in range(_CONFIGS):
        path = tmp_path / f"c{number}.py"
        section = _section(chance, keys)
        path.write_text(f"optim_wrapper = {section!r}\n")
        meant[path.name] = _settings(model, path)
        wrong, places[path.name] = _with_mistake(section, chance)
        path.write_text(f"optim_wrapper = {wrong!r}\n")
    before = {one: _settings(model, tmp_path / one) for one in meant}
    monkeypatch.chdir(tmp_path)
    request = Request(words=(".",), model=Target(model=name), is_isolated=True)
    fixes = check_configs(request, ALL_CHECKS, workers={}, mending=Mending.DONE).fixes
    assert fixes is not None
    for file in fixes.files:
        Path(file.path).write_text(file.after)
        after = _settings(model, tmp_path / file.path)
        assert after == meant[file.path], file.after
        (fix,) = file.fixes
        if fix.kind is FixKind.REMOVE:
            assert after == before[file.path]
        moved = [one for one in after if after[one] != before[file.path][one]]
        assert all(places[file.path] in one for one in moved), (fix, moved)
    print(f"{name}: {len(fixes.files)} of {_CONFIGS} configs mended, {len(fixes.left)} left")
    assert len(fixes.files) > 0.5 * _CONFIGS
