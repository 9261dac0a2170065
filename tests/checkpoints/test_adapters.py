"""Checkpoints of adapters: what ``diff`` says of one is what transformers makes of it with peft."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset

from tests.conftest import Invoke

pytestmark = pytest.mark.filterwarnings("ignore")
WORDS = ("args.json", "out/checkpoint-1", "-m", "hf:base")


class Sentences(Dataset[dict[str, torch.Tensor]]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.arange(4), "labels": torch.arange(4)}


def train(folder: Path, lr: float, *, rank: int = 4, resume: bool = False) -> Any:
    """Train a small adapter, and return the groups with which the training began."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from peft import LoraConfig, get_peft_model
        from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2
    )  # fmt: skip
    config.save_pretrained(folder / "base")
    lora = LoraConfig(r=rank, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(LlamaForCausalLM(config), lora)
    given = {
        "learning_rate": lr,
        "weight_decay": 0.1,
        "adam_epsilon": lr / 1e6,
        "max_steps": 2,
        "save_steps": 1,
        "output_dir": str(folder / "out"),
    }
    (folder / "args.json").write_text(json.dumps(given))
    rest = {"use_cpu": True, "report_to": [], "disable_tqdm": True}
    trainer = Trainer(model, TrainingArguments(**given, **rest), train_dataset=Sentences())
    trainer.train(resume_from_checkpoint=str(folder / "out" / "checkpoint-1") if resume else None)
    return trainer.optimizer.param_groups


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder of a training with an adapter, and the groups of one that goes on with another lr."""
    folder = tmp_path_factory.mktemp("adapter")
    train(folder, 0.1)
    return folder, train(folder, 0.2, resume=True)


def test_the_adapters_own_weights_are_compared(saved: tuple[Path, Any], invoke: Invoke) -> None:
    folder, groups = saved
    words = (*WORDS, "--peft", "out/checkpoint-1", "--full", "-f", "json", "-q")
    done = invoke("diff", *words, cwd=folder)
    assert done.returncode == 1, done.stderr
    data = json.loads(done.stdout)
    assert data["misfits"] == []
    assert (data["only_before"]["names"], data["only_after"]["names"]) == ([], [])
    told = {
        one["field"]: one["after"] for one in data["optimizers"] if one["kind"] != "constructor"
    }
    assert {group["initial_lr"] for group in groups} == {told["lr"]} == {0.1}
    assert {group["eps"] for group in groups} == {told["eps"]}
    trained = [row["after"] for row in data["rows"] if row["after"]["status"] == "optimized"]
    assert [len(group["params"]) for group in groups] == [len(trained), 0] == [8, 0]
    assert all("lora_" in row["name"] for row in trained)


def test_another_rank_is_refused_as_the_trainer_refuses_it(
    saved: tuple[Path, Any], invoke: Invoke, tmp_path: Path
) -> None:
    folder, _ = saved
    text = (folder / "out" / "checkpoint-1" / "adapter_config.json").read_text()
    (tmp_path / "wide.json").write_text(text.replace('"r": 4', '"r": 8'))
    done = invoke("diff", *WORDS, "--peft", str(tmp_path / "wide.json"), cwd=folder)
    assert done.returncode == 1, done.stderr
    assert "cannot be resumed" in done.stdout
    assert "q_proj.lora_A.default.weight is 8×16, the saved one is 4×16" in done.stdout
    with pytest.raises(RuntimeError, match=r"lora_A\.default\.weight"):
        train(folder, 0.2, rank=8, resume=True)


def test_without_the_adapter(saved: tuple[Path, Any], invoke: Invoke) -> None:
    done = invoke("diff", *WORDS, cwd=saved[0])
    assert done.returncode == 1, done.stderr
    assert "whose weights are not compared: name it with --peft FOLDER" in done.stdout


def test_a_damaged_adapter_is_one_message(
    saved: tuple[Path, Any], invoke: Invoke, tmp_path: Path
) -> None:
    for name in ("optimizer.pt", "adapter_config.json"):
        (tmp_path / name).write_bytes((saved[0] / "out" / "checkpoint-1" / name).read_bytes())
    words = ("args.json", str(tmp_path), "-m", "hf:base", "--peft", str(tmp_path))
    for content in (b"", b"\xff" * 8, (1 << 60).to_bytes(8, "little"), b"\x02\0\0\0\0\0\0\0[]"):
        (tmp_path / "adapter_model.safetensors").write_bytes(content)
        done = invoke("diff", *words, cwd=saved[0])
        assert (done.returncode, done.stdout) == (2, ""), content
        assert done.stderr.count("error: ") == 1
        assert "its header is unreadable" in done.stderr


def test_the_schedule_of_a_model_in_a_folder(saved: tuple[Path, Any], invoke: Invoke) -> None:
    """The library's scheduler is run beside a model whose file the command line names."""
    done = invoke("schedule", "args.json", "-m", "hf:base", "-f", "json", "-q", cwd=saved[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["settings"][0]["values"]["lr"][0] == 0.2
