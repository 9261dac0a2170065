"""Which ``config.json`` is read in this process, and which in the one for named code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from optplan.model.plain_config import strange_config

LLAMA: dict[str, Any] = {
    "_name_or_path": "someone/a-model",
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "max_position_embeddings": 131072,
    "rope_theta": 500000.0,
    "rope_scaling": {"factor": 8.0, "rope_type": "llama3"},
    "vocab_size": 128256,
    "bos_token_id": 128000,
    "id2label": {"0": "LABEL_0"},
    "tie_word_embeddings": False,
}
STRANGE: dict[str, Any] = {
    "layers": {"num_hidden_layers": 10**9},
    "layers of another name": {"n_layer": 100_000},
    "labels": {"num_labels": 10**8},
    "a table": {"max_position_embeddings": 10**7},
    "words": {"vocab_size": 10**30},
    "inside": {"text_config": {"num_hidden_layers": 10**6}},
    "in a list": {"depths": [2, 2, 10**6]},
    "a path": {"weights": "/home/someone/x.pth"},
    "another's code": {"auto_map": {"AutoModel": "own.Own"}},
    "another model": {"backbone": "resnet50"},
    "another config": {"backbone_config": {"depth": 3}},
    "timm": {"architecture": "timm_model"},
    "kernels": {"attn_implementation": "someone"},
    "quantized": {"quantization_config": {"bits": 4}},
}


def written(folder: Path, text: str) -> Path:
    (folder / "config.json").write_text(text)
    return folder / "config.json"


def test_a_released_config_is_plain(tmp_path: Path) -> None:
    assert strange_config(written(tmp_path, json.dumps(LLAMA))) is None


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_more_than_a_size_is_strange(name: str, tmp_path: Path) -> None:
    assert strange_config(written(tmp_path, json.dumps({**LLAMA, **STRANGE[name]})))


DEEP = "[" * 900 + '"a/b"' + "]" * 900


@pytest.mark.parametrize("text", ["", "{", "[" * 50_000, DEEP, "x" * 2_000_000])
def test_what_is_no_config_is_not_plain(text: str, tmp_path: Path) -> None:
    assert strange_config(written(tmp_path, text))


def test_most_types_of_the_library_are_plain(tmp_path: Path) -> None:
    """Their own defaults, which most released files follow; others cost a process of their own."""
    from transformers import CONFIG_MAPPING

    found = {}
    for name in (
        "bert",
        "llama",
        "vit",
        "swin",
        "t5",
        "gpt2",
        "qwen2",
        "whisper",
        "clip",
        "mixtral",
    ):
        found[name] = strange_config(written(tmp_path, CONFIG_MAPPING[name]().to_json_string()))
    assert found == dict.fromkeys(found)
