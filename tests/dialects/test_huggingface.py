"""Files of ``TrainingArguments``: equal to what the library's own trainer makes of them."""

from __future__ import annotations

import json
from importlib import util
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import yaml
from torch import nn
from torch.optim import Optimizer

from optplan import load_model
from optplan.app.planning import plan_with_facts
from optplan.config import load_config
from optplan.dialects.huggingface import HuggingFace
from optplan.dialects.huggingface.arguments import known_arguments
from optplan.names import Rule
from tests.conftest import Invoke

TINY: dict[str, Any] = {
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
WORDS = tuple(word for name, value in TINY.items() for word in ("-k", f"{name}={value}"))

FILES: dict[str, dict[str, Any]] = {
    "defaults": {"output_dir": "out", "num_train_epochs": 3},
    "decay": {"output_dir": "out", "learning_rate": 3e-4, "weight_decay": 0.1},
    "betas": {
        "learning_rate": 1e-3, "weight_decay": 0.05, "optim": "adamw_torch", "adam_beta1": 0.8,
        "adam_beta2": 0.95, "adam_epsilon": 1e-6,
    },
    "another class": {"optim": "adafactor", "learning_rate": 2e-3, "weight_decay": 0.01},
    "plain": {"optim": "sgd", "learning_rate": 0.1, "weight_decay": 0.001, "output_dir": "out"},
    "of a machine": {
        "learning_rate": 1e-4, "weight_decay": 0.1, "bf16": True, "tf32": True, "deepspeed": "ds.json",
        "fsdp": "full_shard", "report_to": "wandb", "torch_compile": True, "gradient_checkpointing": True,
        "per_device_train_batch_size": 4,
    },
    "more": {
        "optim": "rmsprop", "optim_args": "momentum=0.9", "learning_rate": 0.01, "weight_decay": 0.2,
    },
}  # fmt: skip
LEFT_OUT = (
    "bf16",
    "tf32",
    "deepspeed",
    "fsdp",
    "report_to",
    "torch_compile",
    "gradient_checkpointing",
)


def reference(arguments: dict[str, Any], model: nn.Module, folder: Path) -> transformers.Trainer:
    """The library's trainer as a script makes it, on a machine that has what the file asks for."""
    given = {name: value for name, value in arguments.items() if name not in LEFT_OUT}
    path = folder / "given.json"
    path.write_text(json.dumps({**given, "output_dir": str(folder / "out"), "use_cpu": True}))
    parser = transformers.HfArgumentParser(transformers.TrainingArguments)
    (parsed,) = parser.parse_json_file(str(path))
    return transformers.Trainer(model=model, args=parsed)


def written(data: dict[str, Any], folder: Path, name: str = "args.yaml") -> str:
    path = folder / name
    path.write_text(json.dumps(data) if name.endswith("json") else yaml.safe_dump(data))
    return str(path)


def values(optimizer: Optimizer, model: nn.Module) -> dict[str, dict[str, Any]]:
    names = {id(one): name for name, one in model.named_parameters()}
    return {
        names[id(one)]: {name: value for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
        for one in group["params"]
    }


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize("name", FILES)
def test_equal_to_the_trainer(name: str, suffix: str, tmp_path: Path) -> None:
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**TINY))
    wanted = values(reference(FILES[name], model, tmp_path).create_optimizer(), model)
    path = written(FILES[name], tmp_path, f"args.{suffix}")
    plan = plan_with_facts("hf:llama", load_config(path), model_arguments=TINY).plan
    (optimizer,) = plan.optimizers
    own = class_defaults(optimizer.class_name)
    assert {row.name for row in plan.parameters} == wanted.keys()
    for row in plan.parameters:
        entries = {**own, **optimizer.options, **row.options}
        entries |= {"lr": row.lr, "weight_decay": row.weight_decay}
        assert {n: plain(v) for n, v in wanted[row.name].items()} == {
            n: plain(entries[n]) for n in wanted[row.name]
        }, row.name


def class_defaults(name: str) -> dict[str, Any]:
    module, _, attribute = name.rpartition(".")
    kind = getattr(__import__(module, fromlist=[attribute]), attribute)
    made = kind([nn.Parameter(torch.zeros(1))])
    return {name: value for name, value in made.defaults.items() if name != "params"}


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("kind", ["bert", "roberta-prelayernorm", "t5", "qwen2_5_vl", "mamba"])
def test_models(kind: str, tmp_path: Path) -> None:
    """Which parameters are decayed, and that the reason given is one of the library's."""
    config = load_config(written(FILES["decay"], tmp_path))
    found = plan_with_facts(f"hf:{kind}", config)
    model = load_model(f"hf:{kind}")
    decayed = transformers.Trainer.get_decay_parameter_names(None, model)
    for row in found.plan.parameters:
        if row.weight_decay_rule is None:
            continue
        is_decayed = row.name in decayed
        assert row.weight_decay == (0.1 if is_decayed else 0), row.name
        assert row.weight_decay_rule.rule in (
            {Rule.DEFAULT} if is_decayed else {Rule.NORM, Rule.REGEX}
        )


def test_each_parameter_says_why(invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["decay"], tmp_path)
    done = invoke(
        "show", path, "--model", "hf:bert", "-k", "num_hidden_layers=1", "--format", "csv"
    )
    rows = {line.split(",")[0]: line for line in done.stdout.splitlines()}
    layer = "bert.encoder.layer.0"
    assert ",norm,LayerNorm,,0.0," in rows[f"{layer}.output.LayerNorm.weight"]
    assert ",regex,,bias," in rows[f"{layer}.output.dense.bias"]
    assert ",default,,,1.0,default,,,1.0," in rows[f"{layer}.output.dense.weight"]


def test_explain(invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["decay"], tmp_path)
    done = invoke("explain", path, "model.norm.weight", "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    won  regex '(?:^|\\.)norm(?:$|\\.)'  weight_decay  it is found" in done.stdout
    assert "    no   regex 'layernorm'             weight_decay  it is not found" in done.stdout
    assert (
        "    no   norm                          weight_decay  it is in no LayerNorm" in done.stdout
    )


def test_without_decay_nothing_is_spared(tmp_path: Path) -> None:
    config = load_config(written(FILES["defaults"], tmp_path))
    plan = plan_with_facts("hf:llama", config, model_arguments=TINY).plan
    assert {row.weight_decay_rule.rule for row in plan.parameters if row.weight_decay_rule} == {
        Rule.DEFAULT
    }


@pytest.mark.parametrize("model", ["resnet18", "torch.nn:Linear"])
def test_models_of_others(model: str, invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["decay"], tmp_path)
    given = () if model == "resnet18" else ("-k", "in_features=2", "-k", "out_features=2")
    done = invoke("show", path, "--model", model, *given, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_verify(invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["betas"], tmp_path)
    done = invoke("verify", path, "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "matches: every parameter got what the plan says" in done.stdout


def test_a_model_is_left_as_it_is(tmp_path: Path) -> None:
    model = load_model("hf:llama", **TINY)
    before = {name: one.requires_grad for name, one in model.named_parameters()}
    state = dict(vars(model))
    plan_with_facts(model, load_config(written(FILES["decay"], tmp_path)))
    assert {name: one.requires_grad for name, one in model.named_parameters()} == before
    assert vars(model).keys() == state.keys()
    assert not (tmp_path / "out").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"args.yaml"}


SCHEDULES: dict[str, dict[str, Any]] = {
    "linear": {},
    "cosine": {"warmup_steps": 100},
    "cosine_with_restarts": {"lr_scheduler_kwargs": {"num_cycles": 3}, "warmup_steps": 10},
    "polynomial": {"lr_scheduler_kwargs": {"power": 2.0}, "warmup_steps": 0.1},
    "constant": {},
    "constant_with_warmup": {"warmup_steps": 50},
    "inverse_sqrt": {"warmup_steps": 20},
    "cosine_with_min_lr": {"lr_scheduler_kwargs": {"min_lr": 1e-5}, "warmup_steps": 30},
    "warmup_stable_decay": {"lr_scheduler_kwargs": {"num_decay_steps": 100}, "warmup_steps": 30},
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_step_of_a_schedule(kind: str, invoke: Invoke, tmp_path: Path) -> None:
    arguments = {
        **FILES["decay"], "max_steps": 1000, "lr_scheduler_type": kind, **SCHEDULES[kind],
    }  # fmt: skip
    trainer = reference(arguments, nn.Linear(2, 2), tmp_path)
    trainer.create_optimizer_and_scheduler(1000)
    assert trainer.optimizer is not None
    wanted = []
    for _ in range(1000):
        wanted.append(trainer.optimizer.param_groups[0]["lr"])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    given = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    path = written(arguments, tmp_path)
    done = invoke("schedule", path, *given, "--every", "1", "--format", "csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split(",") for line in done.stdout.splitlines()]
    lr = found[0].index("lr")
    assert [float(row[lr]) for row in found[1::2]] == wanted


@pytest.mark.parametrize(
    ("arguments", "words", "length"),
    [
        ({"num_train_epochs": 2}, ("--iters-per-epoch", "100"), 200),
        ({"num_train_epochs": 1.5}, ("--iters-per-epoch", "100"), 150),
        (
            {"num_train_epochs": 2, "gradient_accumulation_steps": 8},
            ("--iters-per-epoch", "100"),
            26,
        ),
        ({"max_steps": 30}, ("--iters-per-epoch", "100"), 30),
        ({"max_steps": 30}, ("--iters", "50"), 50),
        ({"max_steps": 30}, ("--epochs", "2", "--iters-per-epoch", "10"), 20),
    ],
)
def test_length(
    arguments: dict[str, Any],
    words: tuple[str, ...],
    length: int,
    invoke: Invoke,
    tmp_path: Path,
) -> None:
    path = written({**FILES["decay"], **arguments}, tmp_path)
    given = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("schedule", path, *given, *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f" {length} iterations\n" in done.stdout


def test_nobody_says_how_long(invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["decay"], tmp_path)
    done = invoke("schedule", path, "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert done.returncode == 2
    assert "give --iters-per-epoch N" in done.stderr


def test_diff(invoke: Invoke, tmp_path: Path) -> None:
    first = {**FILES["decay"], "max_steps": 100, "lr_scheduler_type": "linear"}
    before = written(first, tmp_path)
    other = written({**first, "weight_decay": 0.2}, tmp_path, "b.yaml")
    curve = written({**first, "lr_scheduler_type": "cosine"}, tmp_path, "c.yaml")
    same = written(first, tmp_path, "d.json")
    ours = str(tmp_path / "ours.py")
    Path(ours).write_text("optimizer = dict(type='AdamW', lr=3e-4, weight_decay=0.1)")
    given = ("--model", "hf:llama", *WORDS)
    assert "no difference" in invoke("diff", before, same, *given).stdout
    assert "weight_decay  0.1  →  0.2" in invoke("diff", before, other, *given).stdout
    done = invoke("diff", before, curve, *given)
    assert (done.returncode, done.stderr) == (1, "")
    assert "from iteration 1" in done.stdout
    for words in ((before, ours), (ours, before)):
        done = invoke("diff", *words, *given)
        assert "one side alone has schedulers" in done.stdout


def test_unknown_arguments_are_findings(
    invoke: Invoke, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = {**FILES["decay"], "lr_scheduler_typ": "cosine"}
    written(data, tmp_path)
    for given in ((), ("--model", "hf:llama", *WORDS)):
        done = invoke("check", "args.yaml", *given, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stdout.startswith(
            "args.yaml:2:1: OPT101 'lr_scheduler_typ' in the training arguments is none: HfArgumentParser "
            "refuses it, unless another dataclass of the script takes it, did you mean 'lr_scheduler_type'?"
        )
    caplog.clear()
    done = invoke("show", "args.yaml", "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert done.returncode == 0
    (said,) = caplog.messages
    assert "did you mean 'lr_scheduler_type'" in said


def test_arguments_of_other_dataclasses(
    invoke: Invoke, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A script may parse several from one file: that is no mistake."""
    written({**FILES["decay"], "model_name_or_path": "x", "dataset_mixer": {"a": 1}}, tmp_path)
    done = invoke("check", "args.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert (
        "args.yaml:4:1: OPT101 info: 'model_name_or_path' in the training arguments is none"
        in done.stdout
    )
    done = invoke("show", "args.yaml", "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert (done.returncode, done.stderr, caplog.messages) == (0, "", [])


def test_known_arguments_are_the_librarys() -> None:
    import dataclasses

    fields = {one.name for one in dataclasses.fields(transformers.TrainingArguments) if one.init}
    assert fields <= known_arguments()
    assert known_arguments() - fields <= {"framework"}


def test_a_folder_is_checked(invoke: Invoke, tmp_path: Path) -> None:
    """Files of arguments are found among others, without a model."""
    written({**FILES["decay"], "learning_rat": 1e-3}, tmp_path)
    (tmp_path / "other.yaml").write_text("seed: 1\nname: x\n")
    (tmp_path / "deepspeed.json").write_text(
        '{"optimizer": {"type": "AdamW", "params": {"lr": 1}}}'
    )
    done = invoke("check", ".", cwd=tmp_path)
    assert "did you mean 'learning_rate'" in done.stdout
    assert "1 error in 1 of 1 config" in done.stdout


@pytest.mark.parametrize(
    "data",
    [
        {"output_dir": "out", "learning_rate": 1e-4},
        {"output_dir": "out", "optim": "sgd"},
        {"num_train_epochs": 3, "per_device_train_batch_size": 8},
        {"lr_scheduler_type": "cosine", "warmup_steps": 10},
        {"model_name_or_path": "x", "learning_rate": 1e-4, "bf16": True},
    ],
)
def test_recognized(data: dict[str, Any]) -> None:
    assert HuggingFace().recognize(data)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"learning_rate": 1e-4},
        {"seed": 1, "output_dir": "x"},
        {"optimizer": {"type": "SGD"}, "learning_rate": 1, "max_steps": 3},
        {"opt": "sgd", "lr": 0.1, "seed": 1},
        {"optimizer": "adamw", "learning_rate": 1e-4, "num_train_epochs": 3},
    ],
)
def test_not_recognized(data: dict[str, Any]) -> None:
    assert HuggingFace().recognize(data) is None


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "text for a number": ({"learning_rate": "1e-4"}, "args.yaml:1:1: learning_rate must be a number"),
    "no number": ({"weight_decay": None}, "weight_decay must be a number"),
    "negative": ({"learning_rate": -1.0}, "Invalid learning rate: -1.0"),
    "no such optimizer": ({"optim": "adamw_torc"}, "transformers has no optim 'adamw_torc'"),
    "no such scheduler": (
        {"lr_scheduler_type": "cosin", "max_steps": 3}, "has no lr_scheduler_type 'cosin'",
    ),
    "not installed": ({"optim": "lomo"}, "args.yaml:"),
    "a list": ({"optim": ["sgd"]}, "transformers has no optim"),
    "contradiction": (
        {"load_best_model_at_end": True, "save_strategy": "epoch", "eval_strategy": "no"},
        "--load_best_model_at_end requires",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, invoke: Invoke, tmp_path: Path) -> None:
    data, message = BAD[name]
    (tmp_path / "args.yaml").write_text(
        yaml.safe_dump({**data, "output_dir": "out", "num_train_epochs": 1}, sort_keys=False)
    )
    done = invoke("show", "args.yaml", "--model", "hf:llama", *WORDS, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert message in done.stderr
    assert done.stderr.count("error:") == 1


def test_without_the_library(invoke: Invoke, tmp_path: Path, monkeypatch: Any) -> None:
    found = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name, *a: None if name == "accelerate" else found(name, *a)
    )
    path = written(FILES["decay"], tmp_path)
    done = invoke("show", path, "--model", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the optimizer is made by transformers' Trainer, and accelerate is not installed\n"
        "  hint: pip install accelerate\n"
    )


def test_override(invoke: Invoke, tmp_path: Path) -> None:
    path = written(FILES["decay"], tmp_path)
    words = ("show", path, "--model", "hf:llama", *WORDS)
    assert "lr 0.5" in invoke(*words, "--set", "learning_rate=0.5").stdout
    done = invoke(*words, "--set", "learning_rat=0.5")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'learning_rate'" in done.stderr
