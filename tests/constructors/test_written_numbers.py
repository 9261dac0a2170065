"""Numbers that YAML 1.1 reads as texts, and sections that leave entries out, as their trainers read them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml

from optplan.app.planning import plan_with_facts
from optplan.config import load_config
from optplan.dialects.timm.arguments import as_parsed
from optplan.errors import ConfigError
from optplan.names import Status
from optplan.plan import Plan
from tests.checks.given import meta
from tests.checks.models import Net
from tests.conftest import Invoke

# Each option with the type that timm's train.py gives it.
FLOATS = (
    "lr", "weight_decay", "momentum", "lr_base", "opt_eps", "layer_decay", "warmup_lr", "min_lr",
    "decay_epochs", "decay_rate", "lr_cycle_mul", "lr_cycle_decay", "lr_k_decay", "lr_noise_pct",
)  # fmt: skip
INTS = (
    "batch_size", "epochs", "warmup_epochs", "cooldown_epochs", "patience_epochs", "lr_cycle_limit", "seed",
    "lr_base_size", "grad_accum_steps", "num_classes", "in_chans",
)  # fmt: skip


@pytest.mark.parametrize(
    "written", ["1e-4", "'0.05'", "5E-2", "3", "' 7 '", "0.25", "'1_000'", "'12'"]
)
def test_a_recipe_of_timm_is_read_as_argparse_reads_it(written: str) -> None:
    """train.py reads YAML, and gives it to its parser as defaults."""
    names = FLOATS if "." in written or "e" in written.lower() else (*FLOATS, *INTS)
    data = yaml.safe_load("".join(f"{name}: {written}\n" for name in names))
    parser = argparse.ArgumentParser()
    for name in names:
        parser.add_argument(f"--{name}", type=float if name in FLOATS else int)
    parser.set_defaults(**data)
    expected = vars(parser.parse_args([]))
    found = as_parsed(data)
    assert found == expected
    assert [type(found[name]) for name in names] == [type(expected[name]) for name in names]


def plan_of(path: Path, text: str) -> Plan:
    path.write_text(text)
    return plan_with_facts(meta(Net), load_config(path)).plan


def values(plan: Plan) -> tuple[str, float | None, float | None, dict[str, Any]]:
    (optimizer,) = plan.optimizers
    assert {row.status for row in plan.parameters} == {Status.OPTIMIZED}
    return optimizer.type, optimizer.lr, optimizer.weight_decay, dict(optimizer.options)


def test_a_recipe_of_timm(tmp_path: Path) -> None:
    text = (
        "opt: adamw\nlr: 1e-3\nweight_decay: 1e-4\nopt_eps: 1e-8\nsched: cosine\nbatch_size: '64'\n"
    )
    kind, lr, decay, options = values(plan_of(tmp_path / "args.yaml", text))
    assert (kind, lr, decay, options["eps"]) == ("timm:adamw", 0.001, 0.0001, 1e-8)


def test_the_schedule_of_a_recipe_of_timm(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text(
        "opt: sgd\nlr: 1e-1\nsched: cosine\nepochs: '4'\nwarmup_epochs: 0\nmin_lr: 1e-3\n"
    )
    words = ("schedule", "args.yaml", "--model", "tests.checks.models:Net", "--format", "csv")
    rows = [row.split(",") for row in invoke(*words, cwd=tmp_path).stdout.splitlines()]
    # from 0.1 down a cosine of 4 epochs that ends at 0.001
    assert [float(row[5]) for row in rows[1:]] == [0.1, 0.1, 0.0154982143312659, 0.0154982143312659]


PARTIAL = (
    "regime:\n  num_steps: 50_000\ntrainer:\n  grad_accumulation: {num_batches: 4}\noptimizer:\n"
)


@pytest.mark.parametrize(
    ("text", "lr", "decay", "unset"),
    [
        ("  config:\n    lr: 3e-05\n", 3e-5, 0.0, "betas, eps, weight_decay"),
        ("  config:\n    lr: 1e-04\n    weight_decay: 1E-2\n", 1e-4, 0.01, "betas, eps"),
        ("  name: adamw\n  config: {lr: 2.0e-5, betas: [0.9, 95e-2], weight_decay: 0.1}\n", 2e-5, 0.1, ""),
        ("  name: adamw\n  config: {lr: 3e-4, weight_decay: '1e-1', eps: 1e-08, groups: []}\n", 3e-4, 0.1, ""),
        (
            "  name: adamw\n  config:\n    lr: 1e-3\n    weight_decay: 0\n"
            "    groups: [{params: '.*', weight_decay: 0, lr: 1e-3}]\n",
            1e-3, 0.0, "",
        ),
        ("  config: {}\n", 1e-3, 0.0, "lr, betas, eps, weight_decay"),
    ],
)  # fmt: skip
def test_a_recipe_of_fairseq2(
    text: str, lr: float, decay: float, unset: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of(tmp_path / "a.yaml", PARTIAL + text)
    assert values(plan)[:3] == ("AdamW", lr, decay)
    assert {(row.lr, row.weight_decay) for row in plan.parameters} == {(lr, decay)}
    said = [message for message in caplog.messages if "to the recipe's code" in message]
    assert len(said) == bool(unset)
    assert all(f"the file leaves {unset} to the recipe's code" in message for message in said)


def test_a_text_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="eps must be a number, got the string 'tiny'"):
        plan_of(tmp_path / "a.yaml", PARTIAL + "  config: {lr: 3e-05, eps: tiny}\n")


TITAN = '[optimizer]\nname = "AdamW"\nlr = 3e-4\n'


@pytest.mark.parametrize(
    "more",
    [
        "[job]\nx = 1\n[training]\nsteps = 10\n",
        "[lr_scheduler]\nwarmup_steps = 2\n[parallelism]\nx = 1\n[model]\nname = 'llama3'\n",
        "eps = 1e-8\nimplementation = 'fused'\n",
        "early_step_in_backward = false\n",
        "beta1 = 0.8\nbeta2 = 0.95\n",
    ],
)
def test_torchtitans_without_groups(more: str, invoke: Invoke, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "a.toml", TITAN + more)
    kind, lr, decay, options = values(plan)
    beta = 0.8 if "beta1" in more else 0.9
    assert (kind, lr, decay) == ("AdamW", 3e-4, 0.1)
    assert options.get("betas", (0.9, 0.95)) == (beta, 0.95)
    assert plan.matcher is None
    assert len({row.group for row in plan.parameters}) == 1


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("a.toml", TITAN, ("no config", 1)),  # as any other program's
        ("a.yaml", "optimizer:\n  name: AdamW\n  lr: 0.1\n", ("no config", 1)),
        (
            "a.json",
            '{"optimizer": {"class_name": "Adam", "config": {"lr": 0.1}}}',
            ("no config", 1),
        ),
        ("b.toml", TITAN + "[job]\nx = 1\n[training]\nsteps = 10\n", ("", 2)),
        ("b.yaml", PARTIAL + "  config:\n    lr: 3e-05\n", ("", 2)),
    ],
)
def test_in_a_folder(
    name: str, text: str, counts: tuple[str, int], invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "own.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    done = invoke("check", ".", cwd=tmp_path)
    said, count = counts
    assert f"no findings in {count} config" in done.stdout
    assert ("passed over: no config" in done.stdout) is bool(said)
