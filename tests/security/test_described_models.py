"""What a library makes of a stranger's file is code of the file's naming: restricted, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optplan.errors import ModelError
from optplan.hf_specs import ADAPTER
from optplan.model import open_model
from optplan.runtime.where import IsolationNeededError, Where, run_named_code

TINY: dict[str, Any] = {
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
STRANGE = {"model_type": "llama", "weights": "/somewhere/weights.pth"}
TIMM = {
    "model_type": "timm_wrapper",
    "architectures": ["TimmWrapperModel"],
    "architecture": "resnet18",
    "num_classes": 2,
}
PROMPT = {
    "peft_type": "PROMPT_TUNING",
    "task_type": "CAUSAL_LM",
    "num_virtual_tokens": 2,
    "prompt_tuning_init": "TEXT",
    "prompt_tuning_init_text": "x",
    "tokenizer_kwargs": {"trust_remote_code": True},
}


@pytest.fixture
def elsewhere() -> Iterator[None]:
    run_named_code(Where.ELSEWHERE)
    yield
    run_named_code(Where.HERE)


def written(folder: Path, name: str, data: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(data))
    return str(folder)


def test_a_config_of_transformers_reads_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"")
    read = {"model_args": {"checkpoint_path": str(tmp_path / "weights.pth")}}
    folder = written(tmp_path / "model", "config.json", {**TIMM, **read})
    with pytest.raises(ModelError, match=r"does not let code that a file names read "):
        open_model(f"hf:{folder}", {})


def test_an_adapter_loads_no_tokenizer(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = {"AutoConfig": "own.Own", "AutoTokenizer": ["own.Own", None]}
    tokens = written(tmp_path / "tokens", "config.json", {"model_type": "own", "auto_map": code})
    written(tmp_path / "tokens", "tokenizer_config.json", {"auto_map": code})
    (tmp_path / "tokens" / "own.py").write_text(f"open({str(ran)!r}, 'w')\nclass Own: pass\n")
    adapter = written(
        tmp_path / "adapter", "adapter_config.json", {**PROMPT, "tokenizer_name_or_path": tokens}
    )
    with pytest.raises(ModelError, match=r"does not let code that a file names read "):
        open_model("hf:llama", {**TINY, ADAPTER: adapter})
    assert not ran.exists()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("what", ["folder", "file", "adapter"])
def test_made_in_a_process_of_its_own(what: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "m", "config.json", {**STRANGE, **TINY})
    written(
        tmp_path / "m", "adapter_config.json", {"peft_type": "LORA", "target_modules": "(a+)+b"}
    )
    spec = {"folder": f"hf:{folder}", "file": f"{folder}/config.json"}.get(what, "resnet18")
    with pytest.raises(IsolationNeededError):
        open_model(spec, {ADAPTER: folder} if what == "adapter" else {})


def test_a_size_that_torch_refuses_is_told_without_its_stack(tmp_path: Path) -> None:
    large = {**TINY, "model_type": "llama", "vocab_size": 10**30}
    with pytest.raises(ModelError, match="Overflow when unpacking long long") as caught:
        open_model(f"hf:{written(tmp_path, 'config.json', large)}", {})
    assert "Exception raised from" not in str(caught.value)
