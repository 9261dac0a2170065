"""Adapters of peft: equal to what peft puts into the same model, on meta."""

from __future__ import annotations

import json
from importlib import util
from pathlib import Path
from typing import Any

import peft
import pytest
import transformers
from torch import nn

from optplan.errors import ModelError
from optplan.hf_specs import ADAPTER
from optplan.model import open_model
from tests.conftest import Invoke

TINY: dict[str, Any] = {
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
WORDS = tuple(word for name, value in TINY.items() for word in ("-k", f"{name}={value}"))
CONFIGS = {
    "lora": peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
    "all linear": peft.LoraConfig(r=2, target_modules="all-linear", bias="all", use_dora=True),
    "saved": peft.LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"]),
    "computed": peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights="olora"),
    "ia3": peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "vera": peft.LoHaConfig(r=2, target_modules=["o_proj"]),
    "prompt": peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"),
}  # fmt: skip


def rows(model: nn.Module) -> list[tuple[Any, ...]]:
    return [(name, tuple(one.shape), one.requires_grad) for name, one in model.named_parameters()]


def saved(config: peft.PeftConfig, folder: Path, *, inference: bool = False) -> str:
    config.save_pretrained(folder)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "inference_mode": inference}))
    return str(path)


@pytest.mark.parametrize("name", CONFIGS)
def test_equal_to_peft(name: str, tmp_path: Path) -> None:
    path = saved(CONFIGS[name], tmp_path)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**TINY))
    wanted = peft.get_peft_model(model, CONFIGS[name])
    found = open_model("hf:llama", {**TINY, ADAPTER: path}).module
    assert rows(found) == rows(wanted)
    assert {one.is_meta for one in found.parameters()} == {True}
    assert any(one.requires_grad for one in found.parameters())


def test_one_that_was_trained(tmp_path: Path) -> None:
    saved(CONFIGS["lora"], tmp_path, inference=True)
    found = open_model("hf:llama", {**TINY, ADAPTER: str(tmp_path)}).module
    assert sum(one.requires_grad for one in found.parameters()) == 8


@pytest.mark.parametrize(
    "words",
    [
        ("show", "args.yaml"),
        ("explain", "args.yaml", "*lora_A*"),
        ("diff", "args.yaml", "args.yaml"),
        ("check", "args.yaml"),
        ("schedule", "args.yaml"),
    ],
    ids=lambda words: words[0],
)
def test_every_command(words: tuple[str, ...], invoke: Invoke, tmp_path: Path) -> None:
    saved(CONFIGS["lora"], tmp_path)
    (tmp_path / "args.yaml").write_text("learning_rate: 1.0e-4\nmax_steps: 10\nweight_decay: 0.1\n")
    done = invoke(
        *words,
        "--model",
        "hf:llama",
        *WORDS,
        "-k",
        "num_hidden_layers=1",
        "--peft",
        "adapter_config.json",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_frozen(invoke: Invoke, tmp_path: Path) -> None:
    saved(CONFIGS["lora"], tmp_path)
    (tmp_path / "args.yaml").write_text("learning_rate: 1.0e-4\nmax_steps: 10\nweight_decay: 0.1\n")
    done = invoke("show", "args.yaml", "--model", "hf:llama", *WORDS, "--peft", ".", cwd=tmp_path)
    assert "trainable 8 · in the optimizer 8 · frozen 21" in done.stdout


BAD = {
    "no file": (None, "it cannot be read"),
    "no JSON": ("{", "is not JSON"),
    "no type": ("{}", "names no peft_type"),
    "unknown type": ('{"peft_type": "LOR"}', "peft has no type 'LOR' .did you mean 'LORA'"),
    "unknown module": (
        '{"peft_type": "LORA", "target_modules": ["q_pro"]}', "Target modules .* not found",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, tmp_path: Path) -> None:
    text, message = BAD[name]
    path = tmp_path / "adapter_config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ModelError, match=message):
        open_model("hf:llama", {**TINY, ADAPTER: str(path)})


def test_without_a_model(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text("learning_rate: 1.0e-4\nmax_steps: 10\n")
    for command in ("show", "check"):
        done = invoke(command, "args.yaml", "--peft", "x", cwd=tmp_path)
        assert done.returncode == 2
        assert "--model" in done.stderr


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    found = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name, *a: None if name == "peft" else found(name, *a)
    )
    with pytest.raises(ModelError, match="which is not installed"):
        open_model("hf:llama", {**TINY, ADAPTER: "x"})
