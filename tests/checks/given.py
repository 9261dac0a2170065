"""Configs from text and what checks find in them, as lines to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import torch
from torch import nn

from optplan.app.config_schedule import schedule_of_plan
from optplan.app.planning import plan_with_facts
from optplan.checks import ALL_CHECKS, Check, Context, Finding
from optplan.config import Config, OptimizerConfig, load_config
from optplan.dialects import find_optimizer
from optplan.errors import OptplanError
from optplan.plan import Planned

BY_CODE: dict[str, Check] = {check.code: check for check in ALL_CHECKS}


class Files:
    """Reads configs from memory."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def exists(self, path: str) -> bool:
        return PurePosixPath(path).name in self._texts

    def read(self, path: str) -> bytes:
        try:
            return self._texts[PurePosixPath(path).name].encode()
        except KeyError:
            raise FileNotFoundError(path) from None


def config_of(text: str, **bases: str) -> Config:
    """The config ``a.py`` with this text; ``base="..."`` is the file ``base.py`` beside it."""
    texts = {"a.py": text, **{f"{name}.py": base for name, base in bases.items()}}
    return load_config("/configs/a.py", reader=Files(texts))


def context_of(text: str, model: nn.Module | None = None, **bases: str) -> Context:
    """What the checks are given for a config with this text, and a model."""
    config = config_of(text, **bases)
    section: OptimizerConfig | None = None
    planned: Planned | None = None
    trouble: OptplanError | None = None
    try:
        section = find_optimizer(config)
        if model is not None:
            planned = plan_with_facts(model, config)
    except OptplanError as error:
        trouble = error
    return Context(
        config=config,
        section=section,
        planned=planned,
        trouble=trouble,
        has_model=model is not None,
        make_schedule=schedule_of_plan,
    )


def found(code: str, context: Context) -> list[Finding]:
    """What one check finds; its findings carry its code and name."""
    check = BY_CODE[code]
    findings = list(check.run(context))
    assert {(f.code, f.name) for f in findings} <= {(code, check.name)}
    return findings


def lines(code: str, context: Context) -> list[str]:
    """What one check finds, each as ``a.py:1:2 error: message (hint) [parameters]``."""
    return [line(finding) for finding in found(code, context)]


def line(finding: Finding) -> str:
    assert "\n" not in finding.message
    place = finding.place
    where = f"{place.source.name}:{place.line}:{place.column} " if place else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    names = f" [{' '.join(finding.parameters)}]" if finding.parameters else ""
    return f"{where}{finding.severity}: {finding.message}{hint}{names}"


def section_of(paramwise: str, optimizer: str = "type='AdamW', lr=0.1, weight_decay=0.1") -> str:
    """A config of two lines with these options and this optimizer."""
    return (
        f"optim_wrapper = dict(optimizer=dict({optimizer}),\n    paramwise_cfg=dict({paramwise}))\n"
    )


def changed(context: Context, **rows: Mapping[str, Any]) -> Context:
    """The context with fields of the plan's rows replaced, by the name of the row with ``_`` for dots."""
    assert context.planned is not None
    plan = context.planned.plan
    assert set(rows) <= {row.name.replace(".", "_") for row in plan.parameters}
    parameters = tuple(
        row._replace(**rows.get(row.name.replace(".", "_"), {})) for row in plan.parameters
    )
    planned = replace(context.planned, plan=replace(plan, parameters=parameters))
    return replace(context, planned=planned)


def meta(make: type[nn.Module]) -> nn.Module:
    """A model without memory."""
    with torch.device("meta"):
        return make()
