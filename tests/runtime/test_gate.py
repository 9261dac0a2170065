"""What is called for a file's sake, and whose code counts as optplan's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from optplan.checks.catalog.plan_refused import PlanRefused
from optplan.checks.discovery import FoundFile
from optplan.checks.runner import Runner
from optplan.checks.tasks import Job, Task
from optplan.checks.tool_config import Target, ToolConfig
from optplan.config import Batch, Config
from optplan.plan import Planned
from optplan.runtime.gate import calling
from optplan.runtime.where import RefusedError


def test_what_calls_code_of_another_package_is_restricted(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("text")
    own, other = torch.optim.lr_scheduler.SequentialLR, torch.nn.Linear
    with calling(own, "SequentialLR", trusted=False, given=[own]):
        assert secret.read_text() == "text"
    with (
        pytest.raises(RefusedError, match="read"),
        calling(own, "SequentialLR", trusted=False, given=[own, other]),
    ):
        secret.read_text()


def plan_refused(_: Config, __: Batch) -> Planned:
    """Stand for a model whose code does later what it must not."""
    raise RefusedError("optplan does not let code that a file names write 'x'")


def test_what_is_refused_late_is_a_finding_of_that_config(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n")
    job = Job(
        checks=(PlanRefused(),),
        tool_configs=(ToolConfig(folder=str(tmp_path)),),
        make_planner=lambda _: plan_refused,
    )
    target = Target(model="net", arguments={})
    done = Runner(job).run(
        Task(candidate=FoundFile(str(file), named=True), tool_config=0, target=target)
    )
    assert not isinstance(done, Task)
    assert done.crash is None
    assert any("write 'x'" in one.message for one in done.findings)
