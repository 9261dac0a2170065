"""What each of two processes does that ``test_parallel`` starts with torchrun: many verifications."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from optplan.app.planning import build_optimizers, make_plan
from optplan.cli import app
from optplan.runtime.interrupts import end_process
from optplan.verify.bench import TrainingSource
from optplan.verify.inputs import InputShape
from optplan.verify.results import Movement, Parallel, RealStep, Verification
from optplan.verify.subject import NamedOptimizer
from tests.verify.given import Cnn, Matrices, Vit, config, source, verified


class Tied(nn.Module):
    """The output layer is the embedding, with a block between them."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.spare = nn.Parameter(torch.ones(3))
        self.output = nn.Linear(4, 7, bias=False)
        self.output.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        inner = self.words(words)
        for block in self.blocks:
            inner = block(inner)
        out: Tensor = self.output(inner)
        return out


class SkipsOnSecond(torch.optim.SGD):
    """Forgets a parameter, on the second process alone."""

    def step(self, closure: Any = None) -> Any:
        parameters = [one for group in self.param_groups for one in group["params"]]
        if dist.get_rank() == 1 and len(parameters) > 3:
            parameters[3].grad = None
        return super().step(closure)


class Centralized(torch.optim.Optimizer):
    """Plain descent, and a rule of its own for matrices: their gradients lose their mean."""

    def __init__(self, params: Any, lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    gradient = one.grad - one.grad.mean() if one.ndim > 1 else one.grad
                    one.sub_(gradient + group["weight_decay"] * one, alpha=group["lr"])


def other_lr_on_second() -> TrainingSource:
    """A constructor that gives one group another lr on the second process."""
    made = config("AdamW")

    def optimizers(module: nn.Module) -> list[NamedOptimizer]:
        ((_, optimizer),) = build_optimizers(module, made)
        return [NamedOptimizer(name=None, optimizer=_changed(optimizer))]

    return TrainingSource(plan=make_plan(Cnn(), made), make_model=Cnn, make_optimizers=optimizers)


def _changed(optimizer: Optimizer) -> Optimizer:
    if dist.get_rank() == 1:
        optimizer.param_groups[4]["lr"] = 0.5
    return optimizer


def summary(found: Verification) -> dict[str, Any]:
    """What the test looks at."""
    step = found.step if isinstance(found.step, RealStep) else None
    return {
        "matches": found.matches,
        "mismatches": [
            [one.what, str(one.built), list(one.parameters)] for one in found.mismatches
        ],
        "deviating": {
            one.name: one.exact.reason
            for one in found.parameters
            if one.exact.movement is Movement.DEVIATES
        },
        "moved": sum(one.exact.movement is Movement.MOVED for one in found.parameters),
        "lr": {one.name: one.measured.lr for one in found.parameters},
        "coupled": list(found.coupled),
        "without_gradient": list(step.without_gradient) if step else None,
        "oracles": [one.reason for one in found.oracles],
        "processes": found.place.processes,
        "state": found.cost.timings[0].state_bytes if found.cost else None,
    }


def cases(parallel: Parallel) -> dict[str, Callable[[], Verification]]:
    """What is verified in each way."""

    def run(given: TrainingSource, *shape: int, **terms: Any) -> Callable[[], Verification]:
        dtype = torch.int64 if len(shape) == 1 else None
        inputs = (InputShape(shape=(2, *shape), dtype=dtype),)
        return lambda: verified(given, parallel=parallel, forward=True, inputs=inputs, **terms)

    image = (3, 8, 8)
    tied = config("AdamW", {"norm_decay_mult": 0.0, "bypass_duplicate": True})
    return {
        "adamw": run(source(Cnn, config("AdamW")), *image, cost=True),
        "lamb": run(source(Vit, config("timm:lamb")), *image),
        "muon": run(source(Matrices, config("Muon", {})), 3, 6),
        "tied": run(source(Tied, tied), 5),
        "skips": run(source(Cnn, config(SkipsOnSecond)), *image),
        "own rule": run(source(Cnn, config(Centralized)), *image),
        "other lr": run(other_lr_on_second(), *image),
    }


def command() -> dict[str, Any]:
    """The command with a forward that raises, in this process."""
    words = "verify sample_configs/backbone_and_head.py -m sample_configs/models.py:Segmentor"
    words += " --parallel ddp --input 2x5x8x8 --no-cost --device cpu"
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        try:
            app.run(words.split())
        except SystemExit as leaving:
            return {"status": leaving.code, "stdout": out.getvalue(), "stderr": err.getvalue()}
    return {}


def main(folder: str) -> None:
    """Verify everything, and leave what was found in a file for each process."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    found = {
        f"{parallel} {name}": summary(run())
        for parallel in Parallel
        for name, run in cases(parallel).items()
    }
    found["command"] = command()
    Path(folder, f"{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
    end_process(0)
