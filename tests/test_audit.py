"""The audit counts what the libraries' own functions say of the same models."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from tests.audit import audited, line_of


def trainer_decays(model: nn.Module) -> set[str]:
    """Return the names that transformers' ``Trainer`` decays, by its own method, which uses none of its attributes."""
    from transformers.trainer import Trainer

    found: list[str] = Trainer.get_decay_parameter_names(object.__new__(Trainer), model)
    return set(found)


def transformers_model(name: str) -> nn.Module:
    import transformers

    config = transformers.CONFIG_MAPPING[name]()
    architecture = {"gpt_oss": "GptOssForCausalLM", "aimv2": "Aimv2Model"}[name]
    with torch.device("meta"):
        model: nn.Module = getattr(transformers, architecture)(config)
    return model


def test_norms_of_another_class_are_decayed() -> None:
    model, row = transformers_model("aimv2"), audited("aimv2", "transformers")
    decayed = trainer_decays(model)
    norms = {
        f"{prefix}.{name}"
        for prefix, module in model.named_modules()
        if type(module).__name__ == "Aimv2RMSNorm"
        for name, _ in module.named_parameters(recurse=False)
    }
    assert [(kind.rpartition(".")[2], count) for kind, count in row.norms] == [
        ("Aimv2RMSNorm", len(norms & decayed))
    ]
    assert len(norms & decayed) == 72
    assert row.parameters == len(list(model.parameters()))


def test_biases_of_experts_are_spared() -> None:
    model, row = transformers_model("gpt_oss"), audited("gpt_oss", "transformers")
    decayed = trainer_decays(model)
    spared = [
        name
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1 and name not in decayed
    ]
    assert dict(row.matrices) == {"bias": len(spared)}
    assert len(spared) == 72
    assert row.norms == ()


@pytest.mark.parametrize(
    ("name", "spared"),
    [
        ("vit_tiny_patch16_224", {"no_weight_decay: pos_embed": 1}),
        ("resnet18", {}),
        ("twins_pcpvt_small", {"no_weight_decay: proj.0.weight": 4}),
    ],
)
def test_timm_spares_what_the_model_declares(name: str, spared: dict[str, int]) -> None:
    import timm
    from timm.optim import create_optimizer_v2

    with torch.device("meta"):
        model = timm.create_model(name)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=0.05)
    kept = {id(p) for g in optimizer.param_groups if not g["weight_decay"] for p in g["params"]}
    matrices = Counter(
        id(p) in kept for p in model.parameters() if sum(size != 1 for size in p.shape) > 1
    )
    row = audited(name, "timm")
    assert dict(row.matrices) == spared
    assert sum(spared.values()) == matrices[True]
    assert row.norms == ()


def test_what_is_left_out_says_why_without_places() -> None:
    row = audited("aimv2_text_model", "transformers")
    assert row.problem == "no auto class of transformers takes the type …"


def test_a_line_is_named_by_its_package() -> None:
    from timm.optim import create_optimizer_v2

    assert line_of(create_optimizer_v2, "def create_optimizer_v2").startswith(
        "timm/optim/_optim_factory.py:"
    )
