"""torchtune's recipes: what its ``config.instantiate`` gives the class, without the library.

``tests/environments/torchtune`` holds the same files, and the schedule, against the library itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from optplan.app.planning import make_plan
from optplan.dialects import load_config, recognition_of
from tests.conftest import Invoke
from tests.dialects.released_sweep import SmallNet

RECIPE = """
output_dir: out
rate: 3e-4
model: {_component_: torchtune.models.llama3_2.llama3_2_1b}
tokenizer: {_component_: torchtune.models.llama3.llama3_tokenizer, path: x}
optimizer:
  _component_: torch.optim.AdamW
  lr: ${rate}
  weight_decay: 1e-2
  betas: [0.9, 0.95]
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 5
epochs: 2
max_steps_per_epoch: 10
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_equal_to_the_class(recipe: Path) -> None:
    """All parameters, frozen ones too, go to the class with what the section says."""
    model = SmallNet()
    made = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=1e-2, betas=(0.9, 0.95))
    plan = make_plan(model, load_config(recipe))
    (group,) = made.param_groups
    assert len(group["params"]) == len([row for row in plan.parameters if row.group is not None])
    assert {(row.lr, row.weight_decay) for row in plan.parameters} == {(3e-4, 1e-2)}
    assert plan.optimizers[0].class_name == "torch.optim.adamw.AdamW"
    assert plan.optimizers[0].options == {"betas": (0.9, 0.95)}


def test_recognized(recipe: Path) -> None:
    wanted = "torchtune: optimizer._component_, model._component_, tokenizer._component_"
    assert str(recognition_of(load_config(recipe))) == wanted


def test_the_model_is_the_users_to_name(recipe: Path, invoke: Invoke) -> None:
    done = invoke("show", recipe)
    assert done.returncode == 2
    assert "--model torchtune.models.llama3_2:llama3_2_1b" in done.stderr
    recipe.write_text(RECIPE.replace("llama3_2_1b}", "lora_llama3_2_1b}"))
    done = invoke("show", recipe)
    assert "the recipe freezes all but its adapter" in done.stderr


def test_check(recipe: Path, invoke: Invoke) -> None:
    done = invoke("check", recipe.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no findings in 1 config\n" in done.stdout


def test_another_scheduler_is_named(recipe: Path, invoke: Invoke) -> None:
    recipe.write_text(RECIPE.replace("torchtune.training.lr_schedulers.get_cosine", "mine.get"))
    done = invoke("schedule", recipe, "--model", "resnet18")
    assert "lr_scheduler" in done.stdout + done.stderr
    assert "mine" not in done.stderr.partition("error")[2]


def test_without_the_library_its_schedule_says_so(recipe: Path, invoke: Invoke) -> None:
    done = invoke("schedule", recipe, "--model", "resnet18")
    assert done.returncode == 2
    assert "pip install torchtune torchao" in done.stderr
