"""Parts of a plan as plain data for JSON."""

from __future__ import annotations

from typing import Any

from optplan.plan.codec import to_data
from optplan.plan.plan import Plan, RuleUse


def generation_to_dict(plan: Plan) -> dict[str, Any]:
    """Return the generation that a plan is for; nothing where there is none."""
    return {} if plan.generation is None else {"generation": to_data(plan.generation)}


def extras_to_dict(plan: Plan) -> dict[str, Any]:
    """Return what not every plan has."""
    extras = {"lr_scaling": plan.lr_scaling, "matcher": plan.matcher}
    found = {name: to_data(value) for name, value in extras.items() if value is not None}
    return generation_to_dict(plan) | found


def words_to_dict(use: RuleUse) -> dict[str, str]:
    """Return whose code decided, and what else there is to say, as far as there is."""
    words = {"constructor": use.constructor, "note": use.note}
    return {name: word for name, word in words.items() if word is not None}
