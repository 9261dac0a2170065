"""The default constructor: a class to use and to subclass, with the reference's methods."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from torch import nn
from torch.optim import Optimizer

from optplan.config import place_of
from optplan.constructors.optimizer_arguments import Group
from optplan.constructors.optimizers import instantiate, optimizer_class
from optplan.constructors.recording_dict import unnoticed
from optplan.errors import ConfigError
from optplan.facts import ParameterFacts
from optplan.model import class_name, is_dcn, make_inventory, owner_flags, walked_module
from optplan.planner.groups import refuse_empty, tied_error
from optplan.rules import DEFAULT_RULES, Decision, Options, RuleSet, Skipped, decide, read_options


class DefaultOptimizerConstructor:
    """Makes param groups from ``paramwise_cfg`` and an optimizer from the groups.

    Args:
        optim_wrapper_cfg: ``dict(optimizer=dict(type=..., lr=..., ...), ...)``, or in the older form the
            optimizer's dict itself.
        paramwise_cfg: The options; ``None`` or ``{}`` makes one group of all parameters.

    Attributes:
        base_lr: The optimizer's lr, ``None`` where the config sets none.
        base_wd: The optimizer's weight decay, ``None`` where the config sets none.
        paramwise_cfg: The options, as given.
        optimizer_cfg: The optimizer's dict.
        optim_wrapper_cfg: What else the wrapper's dict holds.
        decisions: What the rules decided, by the parameter's ``id``.

    Raises:
        ConfigError: An argument that is no dict, or mistakes in the options.
    """

    rules: RuleSet = DEFAULT_RULES

    def __init__(
        self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        if not isinstance(optim_wrapper_cfg, Mapping):
            raise ConfigError(
                f"the optimizer's config must be a dict, got {type(optim_wrapper_cfg).__name__}"
            )
        if not isinstance(paramwise_cfg, Mapping | None):
            raise ConfigError(f"paramwise_cfg must be a dict, got {type(paramwise_cfg).__name__}")
        # a copy of its own kind: some have their entries as attributes, too
        outer = (
            copy.copy(optim_wrapper_cfg)
            if isinstance(optim_wrapper_cfg, dict)
            else dict(optim_wrapper_cfg)
        )
        is_wrapper = "optimizer" in outer
        self.optimizer_cfg: dict[str, Any] = copy.copy(
            outer.pop("optimizer") if is_wrapper else cast("dict[str, Any]", optim_wrapper_cfg)
        )
        self.optim_wrapper_cfg: dict[str, Any] = outer if is_wrapper else {}
        for name in () if is_wrapper else ("paramwise_cfg", "constructor"):
            self.optimizer_cfg.pop(name, None)
        self.paramwise_cfg: Any = {} if paramwise_cfg is None else paramwise_cfg
        self.base_lr: float | None = self.optimizer_cfg.get("lr")
        self.base_wd: float | None = self.optimizer_cfg.get("weight_decay")
        self._options_of: tuple[Any, ...] | None = None
        self._seen_of: tuple[list[Group], int, set[int]] | None = None
        self.decisions: dict[int, Decision] = {}
        with unnoticed(self.paramwise_cfg):  # to validate options puts none to use
            self._options()
        self._options_of = None

    def __call__(self, model: nn.Module) -> Optimizer:
        """Make the real optimizer on the model's parameters.

        Raises:
            ConfigError: The config names no optimizer.
            PlanError: The optimizer cannot be made for this model.
        """
        if "type" not in self.optimizer_cfg:
            hint = "write type='SGD', or another optimizer's name"
            raise ConfigError("the optimizer has no 'type'", hint=hint)
        walked = walked_module(model)
        names = {id(parameter): name for name, parameter in walked.named_parameters()}
        groups: list[Group] = []
        if self.paramwise_cfg:
            self.add_params(groups, walked)
            refuse_repeated(groups, names, self.rules)
        parameters = groups if self.paramwise_cfg else list(walked.parameters())
        refuse_empty(parameters, has_parameters=bool(names))
        if not self.paramwise_cfg:
            self._decide_all(walked)
        arguments = {k: v for k, v in self.optimizer_cfg.items() if k not in ("type", "_scope_")}
        type_place = place_of(self.optimizer_cfg, "type")
        return instantiate(
            optimizer_class(self.optimizer_cfg["type"], type_place),
            arguments,
            parameters,
            names=names,
            written=self.optimizer_cfg,
            dry=False,
            type_place=type_place,
        )

    def add_params(
        self,
        params: list[Group],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: bool | float | None = None,
    ) -> None:
        """Add a group for each parameter of a module, and of the modules below it.

        Args:
            params: The list of groups, added to in place.
            module: The module.
            prefix: Its path from the walked model, '' for the model itself.
            is_dcn_module: Whether its parent is a deformable convolution.
        """
        options = self._options()
        if options.is_empty:  # whoever calls this all the same wants a group for each
            options = replace(options, is_empty=False)
        flags = owner_flags(module)._asdict()
        owner = class_name(module)
        for name, parameter in module.named_parameters(recurse=False):
            facts = self._placed(
                ParameterFacts(
                    name=f"{prefix}.{name}" if prefix else name,
                    prefix=prefix,
                    local=name,
                    shape=tuple(parameter.shape),
                    dtype=str(parameter.dtype).removeprefix("torch."),
                    requires_grad=parameter.requires_grad,
                    module=owner,
                    tensor=id(parameter),
                    parent_is_dcn=bool(is_dcn_module),
                    **flags,
                )
            )
            group: Group = {"params": [parameter]}
            decision = decide(
                facts, options, in_group=options.bypass_duplicate and self._is_in(group, params)
            )
            if not isinstance(decision, Skipped):
                self.decisions[id(parameter)] = decision
                params.append({**group, **decision.group})
        inner_is_dcn = is_dcn(type(module))
        for name, child in module.named_children():
            below = f"{prefix}.{name}" if prefix else name
            self.add_params(params, child, prefix=below, is_dcn_module=inner_is_dcn)

    def _placed(self, facts: ParameterFacts) -> ParameterFacts:
        """Return the parameter with its layer, where the rules ask for it."""
        return facts

    def _options(self) -> Options:
        """Return the options as they stand now: a subclass may have changed its attributes."""
        key = (self.base_lr, self.base_wd, self.paramwise_cfg)
        with unnoticed(self.paramwise_cfg):
            is_known = self._options_of is not None and self._options_of[0] == key
            copied = None if is_known else copy.deepcopy(key)
        if copied is not None:
            self._options_of = (copied, read_options(self.rules, *key, self.optimizer_cfg))
        assert self._options_of is not None
        options: Options = self._options_of[1]
        return options

    def _decide_all(self, walked: nn.Module) -> None:
        """Note what an empty ``paramwise_cfg`` decides of each parameter."""
        options, by_name = self._options(), dict(walked.named_parameters())
        for facts in make_inventory(walked).parameters:
            decision = decide(facts, options)
            if facts.name in by_name and not isinstance(decision, Skipped):
                self.decisions[id(by_name[facts.name])] = decision

    def _is_in(self, param_group: Group, param_group_list: list[Group]) -> bool:
        """Return whether a tensor of a group is in one of a list already; looks at each of a list only once.

        Subclasses written for the reference call it, too.
        """
        if (
            self._seen_of is None
            or self._seen_of[0] is not param_group_list
            or self._seen_of[1] > len(param_group_list)
        ):
            self._seen_of = (param_group_list, 0, set())
        _, known, seen = self._seen_of
        for group in param_group_list[known:]:
            seen.update(map(id, group["params"]))
        self._seen_of = (param_group_list, len(param_group_list), seen)
        return any(id(parameter) in seen for parameter in param_group["params"])


DefaultOptimWrapperConstructor = DefaultOptimizerConstructor


def refuse_repeated(groups: list[Group], names: Mapping[int, str], rules: RuleSet) -> None:
    """Refuse a tensor that is in the groups twice: torch takes it once only.

    Raises:
        PlanError: Tensors that are in several groups, by name.
    """
    seen: set[int] = set()
    repeated = []
    for group in groups:
        for parameter in group["params"]:
            if id(parameter) in seen:
                repeated.append(names.get(id(parameter), "?"))
            seen.add(id(parameter))
    if repeated:
        raise tied_error(repeated, tuple(repeated), rules)
