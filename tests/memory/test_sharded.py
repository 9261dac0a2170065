"""What FSDP2 itself holds in two and three processes, against what is told of its first and its last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import optplan
from optplan.app.memory import memory_of
from optplan.plan.memory import Footprint
from tests.memory.models import Uneven
from tests.memory.processes import OPTIMIZERS
from tests.verify.test_parallel import torchrun

Held = list[dict[str, dict[str, int]]]


@pytest.fixture(scope="module", params=[2, 3])
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder: Path = tmp_path_factory.mktemp("held")
    done = torchrun("tests.memory.processes", folder, processes=request.param)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(request.param)]


def sizes(parts: list[Footprint | None]) -> dict[str, int]:
    total = Footprint()
    for part in parts:
        assert part is not None
        total += part
    assert total.state_bytes is not None
    return {
        "parameter_bytes": total.parameters,
        "gradient_bytes": total.gradients,
        "state_bytes": total.state_bytes,
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_as_fsdp2_holds_it(name: str, held: Held) -> None:
    model = Uneven()
    plan = optplan.Plan.from_optimizer(model, OPTIMIZERS[name](list(model.parameters())))
    memory = memory_of(plan, plan.parameters, processes=len(held))
    assert sizes([row.largest for row in memory.rows]) == held[0][name]
    assert sizes([row.smallest for row in memory.rows]) == held[-1][name]
