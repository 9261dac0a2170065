"""OPT206 and OPT412: what happens to matrices."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from optplan.app.planning import plan_with_facts
from optplan.checks import Context
from optplan.config import NO_SECTION
from optplan.dialects.function.load import load_function
from tests.checks.given import context_of, lines, meta, section_of
from tests.checks.matrix_functions import Attention, Declaring, Language, PreNorm, Relative

FUNCTIONS = str(Path(__file__).with_name("matrix_functions.py"))
BY_DIMENSIONS = "(select vectors by their dimensions, or match the end of the name only)"
MLP = "position_bias_mlp.0.weight, position_bias_mlp.2.weight"


def context_for(name: str, model: type[nn.Module]) -> Context:
    config = load_function(f"{FUNCTIONS}:{name}")
    planned = plan_with_facts(meta(model), config)
    return Context(config=config, section=NO_SECTION, planned=planned, has_model=True)


@pytest.mark.parametrize(
    ("name", "model", "expected"),
    [
        (
            "by_name",
            Attention,
            [
                "warning: 2 parameters have no weight decay, while others of Linear have: 'bias' in the name"
                f" seems to be the reason: {MLP} {BY_DIMENSIONS}"
                " [position_bias_mlp.0.weight position_bias_mlp.2.weight]"
            ],
        ),
        (
            "by_name",
            PreNorm,
            [
                "warning: 1 parameter has no weight decay, while others of Linear have: 'layernorm' in the name"
                f" seems to be the reason: prelayernorm.dense.weight {BY_DIMENSIONS}"
                " [prelayernorm.dense.weight]"
            ],
        ),
        ("by_name", Declaring, []),  # the model asks for it
        ("by_name", Relative, []),  # a table of biases is one
        ("by_dimensions", Attention, []),
        ("without_query", Attention, []),  # no word of vectors is in its name: it is meant
        ("nothing_decayed", Attention, []),
    ],
)
def test_opt206(name: str, model: type[nn.Module], expected: list[str]) -> None:
    assert lines("OPT206", context_for(name, model)) == expected


def test_what_a_custom_key_spares_is_meant() -> None:
    text = section_of("custom_keys={'position_bias_mlp': dict(decay_mult=0.)}")
    assert lines("OPT206", context_of(text, meta(Attention))) == []


def _under(name: str, count: int, kind: str, *names: str) -> str:
    what = f"{count} parameter{'' if count == 1 else 's'} of {kind}"
    return f"warning: {name} orthogonalizes {what}: {', '.join(names)} (give them to AdamW) [{' '.join(names)}]"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "muon_of_all",
            [
                _under("Muon", 1, "embeddings", "tokens.weight"),
                _under("Muon", 2, "LoRA factors", "lora_A.weight", "lora_B.weight"),
                _under("Muon", 1, "output heads", "lm_head.weight"),
            ],
        ),
        ("muon_of_hidden", []),
        ("one_class_for_all", []),
        ("by_name", []),
    ],
)
def test_opt412(name: str, expected: list[str]) -> None:
    assert lines("OPT412", context_for(name, Language)) == expected
