"""OPT411: group entries that the optimizer does not read."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from math import isclose
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.errors import listed, quoted
from optplan.names import Severity
from optplan.plan import PlannedParameter
from optplan.plan.compare import is_label

# OPT302 tells of it, and timm's schedulers read it.
_ELSEWHERE = frozenset({"lr_scale"})

Groups = list[PlannedParameter]


class UnreadGroupEntry(Check):
    """Groups differ in an entry that the optimizer's class never reads, so that it does nothing.

    torch keeps any entry of a group, and its optimizers read only their own: ``lr_mult`` changes no lr.
    Names of groups, and multipliers that are in the group's lr or weight decay already, are no findings.

    Bad::

        SGD([{'params': backbone, 'lr_mult': 0.1}, {'params': head}], lr=0.01)

    Good::

        SGD([{'params': backbone, 'lr': 0.001}, {'params': head}], lr=0.01)
    """

    code = "OPT411"
    name = "unread-group-entry"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the entries of each optimizer, where other code than optplan's rules made its groups."""
        planned = context.planned
        if planned is None or planned.rules is not None or planned.tracer is not None:
            return
        told = _fields(context)
        for index, optimizer in enumerate(planned.plan.optimizers):
            rows = [row for row in planned.plan.parameters if row.optimizer == index]
            groups = list({row.group: row for row in rows if row.group is not None}.values())
            class_name = optimizer.class_name
            for entry in dict.fromkeys(name for group in groups for name in group.extra):
                if entry in told or entry in _ELSEWHERE or not _decides(entry, groups):
                    continue
                if read_by_optimizer(entry, class_name) is False:
                    yield self._of(entry, rows, class_name.rpartition(".")[2], index)

    def _of(self, entry: str, rows: list[PlannedParameter], class_name: str, index: int) -> Finding:
        found = [_text(row.extra.get(entry, "none")) for row in rows if row.group is not None]
        return self.finding(
            f"groups differ in {quoted(entry)} ({listed(list(dict.fromkeys(found)))}), which {class_name} does"
            " not read: it does nothing",
            key=f"optimizer.{index}.{entry}",
            hint=_remedy(entry),
            parameters=tuple(row.name for row in rows if entry in row.extra),
        )


def _fields(context: Context) -> set[str]:
    """Return the fields of custom keys, which OPT102 tells of."""
    keys = context.section.paramwise.get("custom_keys") if context.section else None
    return {
        str(field)
        for fields in (keys.values() if isinstance(keys, Mapping) else ())
        if isinstance(fields, Mapping)
        for field in fields
    }


def _decides(entry: str, groups: Groups) -> bool:
    """Return whether an entry looks as if it were to decide something that the groups do not have yet."""
    values = [group.extra.get(entry) for group in groups]
    are_plain = all(isinstance(value, str | int | float | None) for value in values)
    told = ["none" if value is None else value for value in values]
    if len(set(map(repr, values))) < 2 or not are_plain or is_label(entry, told):
        return False
    return not (_is_applied(entry, groups, "lr") or _is_applied(entry, groups, "weight_decay"))


def _is_applied(entry: str, groups: Groups, setting: str) -> bool:
    """Return whether the groups' lr or weight decay is a base value times the entry, 1 where it is missing."""
    values = [group.extra.get(entry) for group in groups]
    if any(isinstance(value, bool) for value in values):
        return setting == "weight_decay" and _says_decay(entry) and _is_flag(values, groups)
    pairs = [
        (1.0 if value is None else value, getattr(group, setting))
        for value, group in zip(values, groups, strict=True)
    ]
    if not all(isinstance(x, int | float) and isinstance(y, int | float) for x, y in pairs):
        return False
    bases = [y / x for x, y in pairs if x]
    if not any(bases) or any(y for x, y in pairs if not x):
        return False
    return all(isclose(base, bases[0], rel_tol=1e-6) for base in bases)


def _is_flag(values: list[Any], groups: Groups) -> bool:
    """Return whether a flag is set for just those groups that are decayed, or for just the others."""
    pairs = {
        (bool(value), bool(row.weight_decay)) for value, row in zip(values, groups, strict=True)
    }
    return (
        len(pairs) == 2 and len({flag for flag, _ in pairs}) == len({has for _, has in pairs}) == 2
    )


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _remedy(entry: str) -> str:
    if _says_decay(entry):
        return "give the group a 'weight_decay' of its own"
    if "lr" in entry.lower() or "rate" in entry.lower():
        return "give the group an 'lr' of its own"
    return "remove it, or use an optimizer that reads it"


def _says_decay(entry: str) -> bool:
    return "decay" in entry.lower() or "wd" in entry.lower()


_TORCH = "torch.optim."
# Their classes write entries of their own into groups and read them back.
_SCHEDULERS = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")


def read_by_optimizer(entry: str, class_name: str) -> bool | None:
    """Return whether an optimizer, or a scheduler of torch's, reads an entry of a group; None where that is not known.

    A class reads what its module, or that of a class it inherits from, has in quotes.

    Args:
        entry: The entry's name.
        class_name: The class's dotted name.
    """
    if class_name.startswith("optplan."):  # it stands for one that is not known
        return None
    if class_name.startswith(_TORCH):
        known = torch_optimizer(class_name.rpartition(".")[2])
        if known is not None and entry in known.group_names:
            return True
    modules = _modules(class_name)
    texts = [_source(module) for module in modules]
    if not modules or any(text is None for text in texts):
        return None
    texts += [_source(module) for module in _SCHEDULERS]
    quoted = re.compile(rf"['\"]{re.escape(entry)}['\"]")
    return any(quoted.search(text) for text in texts if text)


@cache
def _modules(class_name: str) -> tuple[str, ...]:
    """Return the modules of a class and of what it inherits from; none where it is not to be found."""
    head, _, name = class_name.rpartition(".")
    found = getattr(sys.modules.get(head), name, None)
    if not inspect.isclass(found):
        return ()
    return tuple(dict.fromkeys(base.__module__ for base in found.__mro__ if base is not object))


@cache
def _source(module: str) -> str | None:
    found = sys.modules.get(module)
    try:
        return None if found is None else inspect.getsource(found)
    except (OSError, TypeError):
        return None
