"""The views of a plan for programs: JSON, as ``schemas/*-view-1.0.schema.json`` describe it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from optplan.plan.layer_table import LayerStep, ramp
from optplan.plan.names.tree import Branch, branches, module_tree
from optplan.plan.row_kinds import RowKind
from optplan.plan.serial import extras_to_dict, rule_to_dict
from optplan.plan.setting_members import Members, member_patterns, members_of
from optplan.plan.values import plain
from optplan.reporters.formats.bars import Span, span_of
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import lr_span, weight_decay_span
from optplan.rules.statistics import EntryName, EntryStatistics

_FORMAT_VERSION = "1.0"


def tree_json(shown: Selection, *, depth: int | None) -> str:
    """The branches of the module tree, from top to bottom."""
    found = branches(module_tree(shown.rows), depth)
    return _json(shown, "tree", {"branches": [_branch(branch) for branch in found]})


def groups_json(shown: Selection) -> str:
    """The settings with their members."""
    found = members_of(shown.plan, shown.rows)
    patterns = member_patterns(shown.plan, found)
    groups = [_members(*pair) for pair in zip(found, patterns, strict=True)]
    return _json(shown, "groups", {"groups": groups})


def keys_json(shown: Selection, statistics: Sequence[EntryStatistics]) -> str:
    """The options and keys, in the order in which they are tried."""
    return _json(shown, "keys", {"entries": [_entry(entry) for entry in statistics]})


def layers_json(shown: Selection) -> str:
    """The layers, from the input on."""
    found = ramp(shown.rows)
    patterns = member_patterns(shown.plan, found)
    layers = [_step(*pair) for pair in zip(found, patterns, strict=True)]
    return _json(shown, "layers", {"layers": layers})


def _json(shown: Selection, view: str, data: dict[str, Any]) -> str:
    plan = shown.plan
    head = {
        "format_version": _FORMAT_VERSION,
        "view": view,
        "config": plan.config,
        "model": plan.model.spec or plan.model.class_name,
        "narrowed": str(shown.narrowing) or None,
    }
    return json.dumps(head | extras_to_dict(plan) | data, indent=1) + "\n"


def _branch(branch: Branch) -> dict[str, Any]:
    subtree = branch.subtree
    return {
        "level": branch.level,
        "name": subtree.name,
        "pattern": branch.pattern,
        "is_open": branch.is_open,
        "parameters": subtree.parameters,
        "elements": subtree.elements,
        **_values(tuple(subtree.kinds.values())),
    }


def _members(members: Members, patterns: Sequence[str]) -> dict[str, Any]:
    setting = members.setting
    return {
        "setting": setting.index if setting else None,
        "optimizer": setting.optimizer if setting else None,
        "options": plain(setting.options) if setting else {},
        "parameters": members.parameters,
        "elements": members.elements,
        "patterns": list(patterns),
        **_values(members.kinds),
    }


def _step(step: LayerStep, patterns: Sequence[str]) -> dict[str, Any]:
    return {
        "layer": step.layer,
        "lr_scale": _span(span_of(step.scales)),
        "parameters": len(step.names),
        "elements": step.elements,
        "patterns": list(patterns),
        **_values(step.kinds),
    }


def _values(kinds: Sequence[RowKind]) -> dict[str, Any]:
    return {
        "lr": _span(lr_span(kinds)),
        "weight_decay": _span(weight_decay_span(kinds)),
        "kinds": list(map(_kind, kinds)),
    }


def _span(span: Span | None) -> list[float] | None:
    return None if span is None else [span.low, span.high]


def _kind(kind: RowKind) -> dict[str, Any]:
    row = kind.first
    return {
        "names": kind.names,
        "status": row.status.value,
        "lr": row.effective_lr,
        "weight_decay": row.weight_decay,
        "lr_rule": rule_to_dict(row.lr_rule),
        "weight_decay_rule": rule_to_dict(row.weight_decay_rule),
    }


def _entry(entry: EntryStatistics) -> dict[str, Any]:
    place = entry.place
    return {
        **_name(entry.name),
        "origin": place and {"file": place.source.name, "line": place.line, "column": place.column},
        "lr_mult": entry.lr.mult if entry.lr else None,
        "decay_mult": entry.weight_decay.mult if entry.weight_decay else None,
        "is_read": entry.is_read,
        "matched": entry.matched,
        "won": entry.won,
        "lost": [{**_name(name), "parameters": count} for name, count in entry.lost],
        "skipped": entry.skipped,
        "words": list(entry.words),
    }


def _name(name: EntryName) -> dict[str, str | None]:
    return {
        "option": None if name.is_key else name.text,
        "key": name.text if name.is_key else None,
    }
