"""OPT412: embeddings, output heads and LoRA factors under Muon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import parameters
from optplan.errors import listed
from optplan.facts import ParameterFacts
from optplan.names import Severity
from optplan.plan import PlannedParameter

# Classes that replace the update of a matrix by its nearest orthogonal one.
_ORTHOGONALIZES = re.compile(r"muon|^dion\d*$", re.IGNORECASE)
_HEADS = frozenset({"lm_head", "head", "classifier", "unembed", "embed_out", "output", "score"})
_INNER_HEADS = _HEADS - {"output"}  # an attention's last layer is called so as well
_LORA = re.compile(r"(?:^|\.)lora_(?:a|b|up|down|embedding_a|embedding_b)(?:\.|$)", re.IGNORECASE)
_FALLBACKS = re.compile(r"adam|sgd|lion|rmsprop|adagrad", re.IGNORECASE)


class UnsuitedToOrthogonalization(Check):
    """An embedding, an output head or a LoRA factor under Muon or another optimizer that orthogonalizes.

    Muon is meant for the hidden matrices. Rows of an embedding and of an output head are vectors of their
    own, and the product of two orthogonalized LoRA factors is no orthogonalized matrix.

    Bad::

        Muon([p for p in model.parameters() if p.ndim == 2], lr=0.02)

    Good::

        Muon(model.layers.parameters(), lr=0.02)
        AdamW([*model.embedding.parameters(), *model.lm_head.parameters()], lr=3e-4)

    Groups that such an optimizer gives to another rule (``use_muon=False``, ``use_fallback=True``) are fine.
    """

    code = "OPT412"
    name = "unsuited-to-orthogonalization"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield a finding for each kind of such parameters, by optimizer."""
        plan = context.planned.plan if context.planned else None
        for index, optimizer in enumerate(plan.optimizers if plan else ()):
            name = optimizer.class_name.rpartition(".")[2] or optimizer.type
            if not _ORTHOGONALIZES.search(name):
                continue
            pairs = [(row, facts) for row, facts in context.pairs if row.optimizer == index]
            last = _last_linears(pairs)
            found: dict[str, list[str]] = {}
            for row, facts in pairs:
                kind = _kind(facts, last)
                if kind and _is_orthogonalized(row, optimizer.options):
                    found.setdefault(kind, []).append(row.name)
            for kind, names in found.items():
                yield self.finding(
                    f"{name} orthogonalizes {parameters(len(names))} of {kind}: {listed(names)}",
                    key=f"optimizer.{index}.{kind}",
                    hint="give them to AdamW",
                    parameters=tuple(names),
                )


def _kind(facts: ParameterFacts, last_linears: Mapping[str, str]) -> str | None:
    """Return what a matrix is that Muon is not meant for; None for any other parameter."""
    if facts.elements <= max(facts.shape, default=1):
        return None
    if _LORA.search(facts.walked_name):
        return "LoRA factors"
    if "embedding" in facts.owner_class.lower() and facts.local == "weight":
        return "embeddings"
    return "output heads" if last_linears.get(_head_of(facts) or "") == facts.name else None


def _head_of(facts: ParameterFacts) -> str | None:
    """Return the path of the output head that a linear layer is in; None where it is in none."""
    parts = facts.prefix.split(".")
    if "linear" not in facts.owner_class.lower() or facts.local != "weight":
        return None
    if parts[0] in _HEADS:
        return parts[0]
    return facts.prefix if parts[-1] in _INNER_HEADS else None


def _last_linears(pairs: list[tuple[PlannedParameter, ParameterFacts]]) -> dict[str, str]:
    """Return for each head its last linear layer: those before it are hidden layers."""
    return {head: facts.name for _, facts in pairs if (head := _head_of(facts)) is not None}


def _is_orthogonalized(row: PlannedParameter, defaults: Mapping[str, Any]) -> bool:
    """Return whether a row's group is not given to another rule of the same class."""
    if not row.requires_grad or row.group is None:
        return False
    entries = {**defaults, **row.options, **row.extra}
    if entries.get("use_muon") is False or entries.get("use_fallback") is True:
        return False
    named = [entries.get(name) for name in ("kind", "algorithm", "optim", "optimizer")]
    return not any(isinstance(one, str) and _FALLBACKS.search(one) for one in named)
