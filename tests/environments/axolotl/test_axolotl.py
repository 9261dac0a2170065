"""axolotl's YAML: equal to the optimizer and the schedule of its own trainer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from optplan.dialects import load_config, recognition_of
from tests.conftest import Invoke
from tests.dialects.reference_axolotl import model_of, reference, trainer_of
from tests.dialects.released_sweep import differences

COMMON: dict[str, Any] = {
    "base_model": "org/tiny-llama",
    "datasets": [{"path": "org/answers", "type": "alpaca"}],
    "sequence_len": 512,
    "micro_batch_size": 2,
    "gradient_accumulation_steps": 1,
    "num_epochs": 1,
    "learning_rate": 0.0002,
    "optimizer": "adamw_torch",
}
LORA = {
    "adapter": "lora",
    "lora_r": 2,
    "lora_alpha": 4,
    "lora_target_modules": ["q_proj", "v_proj"],
}
FILES: dict[str, dict[str, Any]] = {
    "AdamW": {"weight_decay": 0.1, "adam_beta2": 0.95, "adam_epsilon": 1e-6},
    "embedding_lr": {"embedding_lr": 1e-5, "weight_decay": 0.1},
    "embedding_lr_scale": {"embedding_lr_scale": 0.5},
    "lr_groups": {
        "lr_groups": [{"name": "q", "modules": ["q_proj", "v_proj"], "lr": 1e-3}],
        "weight_decay": 0.01,
    },
    "LoRA": LORA,
    "LoRA+": {**LORA, "loraplus_lr_ratio": 16},
    "adopt": {"optimizer": "adopt_adamw", "weight_decay": 0.01},
    "adafactor": {"optimizer": "adafactor"},
    "sgd": {"optimizer": "sgd", "optim_args": {"momentum": 0.9}},
    "unfrozen": {"unfrozen_parameters": ["^lm_head.weight$", "layers.1.self_attn"]},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "cosine": {"warmup_ratio": 0.1},
    "min": {"cosine_min_lr_ratio": 0.1, "warmup_steps": 4},
    "constant": {"cosine_min_lr_ratio": 0.1, "cosine_constant_lr_ratio": 0.8},
    "quadratic": {"lr_quadratic_warmup": True, "warmup_steps": 5},
    "rex": {"lr_scheduler": "rex", "warmup_steps": 3},
    "one_cycle": {"lr_scheduler": "one_cycle", "warmup_steps": 3},
    "linear": {"lr_scheduler": "linear"},
}
STEPS = 30


def write(folder: Path, entries: dict[str, Any]) -> Path:
    path = folder / "axolotl.yaml"
    path.write_text(yaml.safe_dump({**COMMON, **entries}))
    return path


@pytest.mark.parametrize("name", FILES)
def test_equal_to_the_trainer(name: str, tmp_path: Path) -> None:
    assert differences(write(tmp_path, FILES[name]), reference, model_of) == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_equal_to_the_trainer(name: str, tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, {**SCHEDULES[name], "max_steps": STEPS})
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(path, model_of(path), folder, max_steps=STEPS)
        optimizer = trainer.create_optimizer()
        scheduler = trainer.create_scheduler(STEPS, optimizer)
        wanted = []
        for _ in range(STEPS):
            wanted.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            scheduler.step()
    words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("schedule", path, *words, "--every", "1", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()]
    found = [float(row[rows[0].index("lr")]) for row in rows[1:]]
    assert found == pytest.approx(wanted, rel=1e-12)


def test_diff_with_training_arguments(tmp_path: Path, invoke: Invoke) -> None:
    write(tmp_path, {"learning_rate": 0.002})
    (tmp_path / "args.yaml").write_text(
        "learning_rate: 0.001\noptim: adamw_torch\noutput_dir: out\n"
    )
    words = ("--model", "hf:llama", "-k", "num_hidden_layers=1")
    done = invoke("diff", "args.yaml", "axolotl.yaml", *words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "0.001" in done.stdout
    assert "0.002" in done.stdout


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (LORA, "the file trains an adapter (lora), and the model has none"),
        ({"rl": "dpo"}, "rl is not read"),
        ({"trainer_cls": "os.system"}, "trainer_cls is not read"),
        ({"optimizer": "nonesuch"}, "nonesuch"),
    ],
)
def test_messages(entries: dict[str, Any], message: str, tmp_path: Path, invoke: Invoke) -> None:
    done = invoke(
        "show", write(tmp_path, entries), "--model", "hf:llama", "-k", "num_hidden_layers=1"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error: ") == 1
    assert message in done.stderr


def test_recognized(tmp_path: Path) -> None:
    found = recognition_of(load_config(write(tmp_path, {})))
    assert str(found) == "axolotl: base_model, datasets, micro_batch_size, num_epochs, sequence_len"
