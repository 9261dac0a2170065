"""Optimizers of many groups, made in a time that grows with their number and not with its square."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim import Optimizer


@contextmanager
def quick_groups() -> Iterator[None]:
    """Look for a parameter in two groups by one set for all of them, instead of a new one for each group.

    torch gathers the members of all groups for each that is added: with a group for each of 8,000 parameters
    that took more time than all steps.
    """
    original = Optimizer.add_param_group
    members: dict[int, set[int]] = {}

    def add_param_group(self: Optimizer, param_group: dict[str, Any]) -> None:
        known = members.setdefault(id(self), set())
        groups = vars(self).get("param_groups")
        given = param_group.get("params")
        members_given = given if isinstance(given, list) else []
        added = {id(one) for one in members_given if isinstance(one, torch.Tensor)}
        is_plain = bool(added) and len(added) == len(members_given)
        if not groups or not is_plain or known & added:
            original(self, param_group)  # which raises, or takes what is no plain list
        else:
            self.param_groups = []
            try:
                original(self, param_group)
                groups += self.param_groups
            finally:
                self.param_groups = groups
        known.update(id(one) for one in self.param_groups[-1]["params"])

    Optimizer.add_param_group = add_param_group  # type: ignore[method-assign]
    try:
        yield
    finally:
        # the user's code may have put another there
        if Optimizer.add_param_group is add_param_group:
            Optimizer.add_param_group = original  # type: ignore[method-assign]
