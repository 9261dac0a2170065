"""How long all checks take with a large model and many keys.

Run as ``python -m tests.bench.checks [PARAMETERS [KEYS]]``.
"""

from __future__ import annotations

import sys

from optplan.checks import ALL_CHECKS, Context
from optplan.dialects import find_optimizer
from optplan.facts import Inventory, ParameterFacts
from optplan.plan import Assignment, Planned, PlannedOptimizer, build_plan
from optplan.rules import DEFAULT_RULES, Skipped, decide, read_options
from tests.bench.timing import growth, seconds
from tests.checks.given import config_of, section_of

BOUND = 1.3  # of the growth: 1 is linear


def inventory(size: int) -> Inventory:
    """Blocks of a norm and a linear layer."""
    found = []
    for index in range(size):
        block, kind = divmod(index, 4)
        is_norm, local = kind < 2, ("weight", "bias")[kind % 2]
        prefix = f"backbone.stages.{block % 4}.blocks.{block}.{'norm' if is_norm else 'proj'}"
        found.append(
            ParameterFacts(
                name=f"{prefix}.{local}",
                prefix=prefix,
                local=local,
                shape=(4, 4) if kind == 2 else (4,),
                dtype="float32",
                requires_grad=True,
                module="torch.nn.LayerNorm" if is_norm else "torch.nn.Linear",
                tensor=index,
                owner_is_norm=is_norm,
            )
        )
    return Inventory(spec=None, source="module", class_name="Net", parameters=tuple(found))


def context(size: int, keys: int) -> Context:
    """A planned config; a third of the keys matches nothing."""
    names = [f"blo{'' if index % 3 == 0 else 'ck'}s.{index}." for index in range(keys - 1)]
    custom = {name: {"lr_mult": 0.5} for name in names} | {"backbone": {"lr_mult": 0.1}}
    config = config_of(section_of(f"norm_decay_mult=0., custom_keys={custom!r}"))
    section = find_optimizer(config)
    options = read_options(DEFAULT_RULES, 0.1, 0.1, section.paramwise, section.optimizer)
    facts = inventory(size)
    assignments = {}
    for index, one in enumerate(facts.parameters):
        decision = decide(one, options)
        assert not isinstance(decision, Skipped)
        assignments[one.tensor] = Assignment(
            optimizer=0,
            group=index,
            lr=decision.lr.value,
            weight_decay=decision.weight_decay.value,
            effective_lr=decision.lr.value,
            lr_verdict=decision.lr,
            weight_decay_verdict=decision.weight_decay,
            options={},
            extra={},
        )
    optimizer = PlannedOptimizer(
        name=None, type="AdamW", class_name="AdamW", lr=0.1, weight_decay=0.1
    )
    plan = build_plan(
        facts, assignments, [optimizer], constructor="Default", config=None, versions={}
    )
    planned = Planned(
        plan=plan, inventory=facts, assignments=assignments, section=section, options=options
    )
    return Context(config=config, section=section, planned=planned, has_model=True)


def main() -> int:
    """Print the times; exit 1 where they grow faster than the number of parameters."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    keys = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    sizes = [largest // 10, largest]
    times = []
    for size in sizes:
        given = context(size, keys)
        times.append(seconds(lambda: [list(check.run(given)) for check in ALL_CHECKS]))  # noqa: B023
        print(f"{size:,} parameters, {keys} keys: {times[-1]:.2f} s")
    exponent = growth(sizes, times)
    print(f"growth {exponent:.2f} (bound {BOUND})")
    return int(exponent > BOUND)


if __name__ == "__main__":
    sys.exit(main())
