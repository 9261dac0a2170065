"""Released configs, planned with their own models and held against the running reference."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import optplan
from optplan.app.planning import make_plan, plan_with_facts
from optplan.checks import ALL_CHECKS, Context, Finding
from optplan.config import load_config
from optplan.dialects import find_own_model
from optplan.errors import ModelError, OptplanError, listed
from optplan.model import LoadedModel, open_configured
from optplan.model.meta import build_on_meta
from optplan.plan import Planned
from optplan.runtime.stdio import suppress_output
from tests.agreement import assert_same_plan
from tests.reference import ReferenceOptimizer, run_reference_section

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mmengine.config import Config
    from mmengine.registry import MODELS, DefaultScope

# On a GPU only; they change nothing of the groups.
_SPECIAL_WRAPPERS = ("AmpOptimWrapper", "DeepSpeedOptimWrapper")


def folder_of(package: str) -> Path:
    """Where an installed package has its configs."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail(f"{package} is not installed, its configs cannot be checked")
        pytest.skip(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0]) / ".mim" / "configs"


def trained_configs(package: str) -> list[Path]:
    """The configs of a package that are no parts of others."""
    paths = sorted(folder_of(package).rglob("*.py"))
    return [path for path in paths if "_base_" not in path.parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A config of which there is nothing to compare, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equal:
    """A config whose plan is what the reference makes of it, and what the checks find in it."""

    path: Path
    parameters: int
    constructor: str
    on_meta: bool
    findings: tuple[Finding, ...]


def _true_findings(
    planned: Planned, config: optplan.Config, model: nn.Module, made: ReferenceOptimizer
) -> tuple[Finding, ...]:
    """What the checks find, held against the reference's model and optimizer where they can tell."""
    context = Context(config=config, section=planned.section, planned=planned, has_model=True)
    findings = [f for check in ALL_CHECKS if not check.opt_in for f in check.run(context)]
    names = {id(p): name for name, p in model.named_parameters(remove_duplicate=False)}
    groups = {names[id(p)]: group.final for group in made.groups for p in group.params}
    model.train()
    for finding in findings:
        if finding.code == "OPT103":
            key = finding.message.split("'")[1]
            # a parameter of the model itself has a dot before its name
            full = [name if "." in name else f".{name}" for name in names.values()]
            assert not any(key in name for name in full), (config.entry, key)
        elif finding.code == "OPT201":
            assert all(groups[name]["weight_decay"] > 0 for name in finding.parameters)
        elif finding.code == "OPT403":
            for name in finding.parameters:
                norm = model.get_submodule(name.rpartition(".")[0])
                assert norm.training, name
                still = not norm.get_parameter(name.rpartition(".")[2]).requires_grad
                assert still or groups[name]["lr"] == 0, name
    return tuple(findings)


class Comparison:
    """Holds configs against the reference; what was built last is kept for the next of its kind."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._models: tuple[LoadedModel, nn.Module] | LeftOut | None = None

    def of(self, path: Path) -> Equal | LeftOut:
        """Plan a config without naming a model, and compare each parameter.

        Raises:
            AssertionError: The plan is another than the reference's groups, or only one of both refuses.
        """
        try:
            theirs = _loaded(path)
        except Exception as error:  # noqa: BLE001 - whatever it raises, it cannot read the config
            return LeftOut(path=path, reason=f"mmengine cannot read it: {_short(error)}")
        if "optim_wrapper" not in theirs:
            return LeftOut(path=path, reason="it has no optimizer")
        ours = load_config(path)
        own = find_own_model(ours)
        if own is None:
            return LeftOut(path=path, reason="it has no model")
        if self._key != own.key or self._models is None:
            self._key, self._models = own.key, None
            try:
                reference = _built(path)
            except ModelError as error:
                self._models = LeftOut(
                    path=path, reason=f"mmengine cannot build it: {_short(error)}"
                )
            else:
                self._models = open_configured(own), reference
        if isinstance(self._models, LeftOut):
            return LeftOut(path=path, reason=self._models.reason)
        loaded, reference = self._models
        section = theirs.optim_wrapper.to_dict()
        if section.get("type") in _SPECIAL_WRAPPERS:
            section["type"] = "OptimWrapper"
            section.pop("loss_scale", None)
            section.pop("dtype", None)
        with DefaultScope.overwrite_default_scope(theirs.get("default_scope")):
            made = run_reference_section(reference, section, mmcv=False)
        if isinstance(made, Exception):
            with pytest.raises(OptplanError):
                make_plan(loaded, ours)
            return LeftOut(path=path, reason=f"both refuse the optimizer: {_short(made)}")
        planned = plan_with_facts(loaded, ours)
        assert_same_plan(planned.plan, reference, made)
        return Equal(
            path=path,
            parameters=planned.plan.model.parameters,
            constructor=planned.plan.constructor,
            on_meta=all(parameter.is_meta for parameter in loaded.module.parameters()),
            findings=_true_findings(planned, ours, reference, made),
        )


def distinct(paths: Sequence[Path]) -> dict[Path, int]:
    """The first config of each model and optimizer, with how many there are of them; by model.

    What optimizes nothing is left out; what optplan cannot read is one of its own.
    """
    first: dict[str, Path] = {}
    count: dict[str, int] = {}
    for path in paths:
        try:
            config = load_config(path)
            own = find_own_model(config)
        except OptplanError:
            own = None
        if own is not None and "optim_wrapper" not in config.data:
            continue
        key = f"{own.key} {config.data.get('optim_wrapper')!r}" if own else str(path)
        first.setdefault(key, path)
        count[key] = count.get(key, 0) + 1
    return {first[key]: count[key] for key in sorted(first)}


def told(results: Collection[Equal | LeftOut], counts: Mapping[Path, int]) -> list[str]:
    """What a comparison of many configs came to, in lines."""
    equal = [one for one in results if isinstance(one, Equal)]
    left_out = [one for one in results if isinstance(one, LeftOut)]
    makers = Counter(one.constructor for one in equal)
    made = ", ".join(f"{count} by {name}" for name, count in makers.most_common())
    lines = [
        f"{sum(counts[one.path] for one in equal)} of {sum(counts.values())} configs equal the reference:"
        f" {len(equal)} of {len(counts)} pairs of model and optimizer ({made}),"
        f" {sum(one.parameters for one in equal)} parameters, {sum(one.on_meta for one in equal)} on meta"
    ]
    codes = Counter(finding.code for one in equal for finding in one.findings)
    lines.append(
        "findings in them: " + ", ".join(f"{codes[code]} {code}" for code in sorted(codes))
    )
    reasons: dict[str, list[Path]] = {}
    for one in left_out:
        reasons.setdefault(one.reason, []).append(one.path)
    for reason, paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
        names = listed([path.stem for path in paths], most=3)
        lines.append(f"left out {sum(counts[path] for path in paths)}: {reason} ({names})")
    return lines


def _loaded(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Config.fromfile(path)


def _built(path: Path) -> nn.Module:
    """The model as the reference's runner builds it."""

    def build() -> nn.Module:
        config = _loaded(path)
        if "data_preprocessor" in config:
            config.model.setdefault("data_preprocessor", config.data_preprocessor)
        with DefaultScope.overwrite_default_scope(config.get("default_scope")):
            built: nn.Module = MODELS.build(config.model)
        return built

    with suppress_output():
        return build_on_meta(build, path.name)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()).partition("raises while it is built: ")
    return (text[2] or text[0])[:110]
