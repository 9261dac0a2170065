"""How long a diff and its reports take beyond the plans, for models of 10,000 parameters.

Run ``python -m tests.bench.diff``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

from optplan.plan import Plan, PlannedParameter
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans
from optplan.reporters.diff.json import render as diff_json
from optplan.reporters.diff.text import render as diff_text
from tests.bench.patterns import deep, experts
from tests.plans import NORM, key, optimizer, plan, row

BOUND = 1.0
LABELS = "a.py", "b.py"


def base_only(before: Plan) -> Plan:
    """Another base lr, which all parameters follow."""
    rows = (r._replace(lr=0.01) for r in before.parameters)
    return plan(*rows, optimizers=(optimizer(lr=0.01),))


def norms(before: Plan) -> Plan:
    """Norms and biases without weight decay."""

    def changed(found: PlannedParameter) -> PlannedParameter:
        if "norm" not in found.name and not found.name.endswith("bias"):
            return found
        return found._replace(weight_decay=0.0, weight_decay_rule=NORM)

    return plan(*map(changed, before.parameters))


def ramp(before: Plan) -> Plan:
    """Another lr for each layer."""

    def changed(found: PlannedParameter) -> PlannedParameter:
        number = found.name.split(".")[1]
        if not number.isdigit():
            return found
        return found._replace(lr=0.1 * 0.9 ** int(number), lr_rule=key(f"layers.{number}.", 0.9))

    return plan(*map(changed, before.parameters))


def scattered(before: Plan) -> Plan:
    """Every seventh parameter another lr of its own."""
    rows = [
        r._replace(lr=float(index)) if index % 7 == 3 else r
        for index, r in enumerate(before.parameters)
    ]
    return plan(*rows)


def other_model(before: Plan) -> Plan:
    """Half of the layers under other names."""
    rows = [
        r._replace(name=r.name.replace("layers.", "blocks.")) if index % 200 < 100 else r
        for index, r in enumerate(before.parameters)
    ]
    return plan(*rows)


CASES: dict[str, Callable[[Plan], Plan]] = {
    "the same": lambda before: before,
    "another base lr": base_only,
    "norms and biases undecayed": norms,
    "an lr for each layer": ramp,
    "an lr of its own for every seventh": scattered,
    "half under other names": other_model,
}


FORMATS: dict[str, Callable[[PlanDiff], str]] = {
    "text": lambda diff: diff_text(diff, LABELS, full=False, width=80, color=True),
    "full": lambda diff: diff_text(diff, LABELS, full=True, width=80, color=True),
    "json": lambda diff: diff_json(diff, LABELS, full=False),
}


def seconds(report: Callable[[PlanDiff], str], before: Plan, after: Plan) -> float:
    """Processor time of a diff with its report, in which other processes do not count."""
    began = process_time()
    report(diff_plans(before, after))
    return process_time() - began


def main(rounds: int = 3) -> int:
    """Print the seconds of a diff with its report; exit 1 where one is above the bound."""
    slow = 0
    for title, names in (("deep", deep(100)), ("experts", experts(25))):
        before = plan(*map(row, names))
        for name, make in CASES.items():
            after = make(before)
            taken = {
                kind: min(seconds(report, before, after) for _ in range(rounds))
                for kind, report in FORMATS.items()
            }
            cells = "  ".join(f"{kind} {needed:.3f} s" for kind, needed in taken.items())
            print(f"{title:8} {len(names)} parameters  {name:36} {cells}", flush=True)
            slow += max(taken.values()) > BOUND
    print(f"above {BOUND} s: {slow}")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
