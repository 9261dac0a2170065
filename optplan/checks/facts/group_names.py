"""The names that mean something in a param group of some optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.errors import close_matches

MULTIPLIERS = frozenset({"lr_mult", "decay_mult"})
_DIRECTIVES = frozenset({"_delete_", "_scope_"})
_ALWAYS = MULTIPLIERS | _DIRECTIVES | {"lr", "weight_decay"}

# What optimizers of other packages read from a group, besides their arguments.
_FOREIGN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "LARS": frozenset(
            {"lars_exclude", "momentum", "dampening", "nesterov", "eta", "trust_coefficient"}
        )
    }
)
# Names of the same things elsewhere, which look too little alike to be found by their letters.
_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "wd_mult": "decay_mult",
        "wd_mul": "decay_mult",
        "weight_decay_mult": "decay_mult",
        "weight_decay_multiplier": "decay_mult",
        "decay_multiplier": "decay_mult",
        "lr_multiplier": "lr_mult",
        "lr_factor": "lr_mult",
        "lr_ratio": "lr_mult",
        "learning_rate_mult": "lr_mult",
        "learning_rate": "lr",
        "wd": "weight_decay",
    }
)
_LIKENESS = 0.8


def known_group_names(raw: RawSection) -> frozenset[str] | None:
    """Return the fields of a custom key that its optimizer reads; None where the optimizer is not known."""
    if raw.is_mmcv1:
        return MULTIPLIERS | _DIRECTIVES  # no field is copied into the groups
    kind = raw.optimizer_type
    if kind.rpartition(".")[2] == "ZeroRedundancyOptimizer":
        inner = raw.optimizer.get("optimizer_type")
        kind = inner if isinstance(inner, str) else ""
    if (found := torch_optimizer(kind)) is not None:
        return _ALWAYS | found.group_names
    foreign = _FOREIGN.get(kind.rpartition(".")[2])
    return None if foreign is None else _ALWAYS | foreign


def torch_group_names(kind: str) -> frozenset[str] | None:
    """Return what an optimizer of torch reads from a group; None for any other."""
    found = torch_optimizer(kind)
    return None if found is None else found.group_names | {"lr", "weight_decay"}


def read_by_hook(raw: RawSection, field: str) -> bool:
    """Return whether one of the config's hooks reads a field of the groups: mmpretrain's SimSiamHook does."""
    hooks: Any = raw.config.data.get("custom_hooks")
    return (
        field == "fix_lr"
        and isinstance(hooks, list | tuple)
        and any(
            isinstance(h, Mapping) and str(h.get("type")).endswith("SimSiamHook") for h in hooks
        )
    )


def owner_of(field: str) -> str | None:
    """Return the optimizer of another package that reads a field of this name."""
    return next((kind for kind, names in _FOREIGN.items() if field in names), None)


def is_synonym(field: str, name: str) -> bool:
    """Return whether a field is what other libraries call a name."""
    return _SYNONYMS.get(field.lower()) == name


def nearest(field: str, names: frozenset[str]) -> str | None:
    """Return the name that a field was meant to be, None where it is like none."""
    if (synonym := _SYNONYMS.get(field.lower())) in names:
        return synonym
    found = close_matches(field, sorted(names), most=1)
    return found[0] if found and _alike(field, found[0]) else None


def _alike(field: str, name: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, field.lower(), name.lower()).ratio() >= _LIKENESS
