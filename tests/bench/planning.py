"""Deciding for many parameters and keys, without the model and without the dry run.

Run ``python -m tests.bench.planning``.
"""

from __future__ import annotations

from functools import partial

from optplan.config.paramwise import parse_paramwise
from optplan.facts import Inventory, ParameterFacts
from optplan.rules import Options, make_options
from tests.bench.timing import growth, medians


def inventory(parameters: int) -> Inventory:
    """A transformer's names: 16 parameters a block."""
    facts = []
    for index in range(parameters):
        block, local = divmod(index, 16)
        prefix = f"backbone.blocks.{block}.attn.layer{local // 2}"
        name = "bias" if local % 2 else "weight"
        facts.append(
            ParameterFacts(
                name=f"{prefix}.{name}",
                prefix=prefix,
                local=name,
                shape=(768,) if local % 2 else (768, 768),
                dtype="float32",
                requires_grad=True,
                module="torch.nn.modules.linear.Linear",
                tensor=index,
            )
        )
    return Inventory(spec=None, source="module", class_name="Net", parameters=tuple(facts))


def options(keys: int) -> Options:
    """Keys of which one in ten matches something."""
    raw = {
        "norm_decay_mult": 0.0,
        "bias_decay_mult": 0.0,
        "custom_keys": {
            f"blocks.{key}." if key % 10 == 0 else f"nothing_like_{key}": {"lr_mult": 1 / (key + 1)}
            for key in range(keys)
        },
    }
    parsed, problems = parse_paramwise(raw, has_weight_decay=True)
    assert not problems
    return make_options(parsed, base_lr=0.001, base_weight_decay=0.05)


def resolve(known: Inventory, given: Options) -> int:
    """Groups of the default constructor; the number of them."""
    from optplan.constructors.groups import default_groups

    return len(default_groups(known, given))


def main() -> None:
    """Print milliseconds, and the growth in parameters and in keys."""
    resolve(inventory(16), options(1))
    keys, sizes = (25, 100, 400), (2_000, 8_000, 32_000)
    hundred, eight_thousand = options(100), inventory(8_000)
    by_size = medians(
        {str(size): partial(resolve, inventory(size), hundred) for size in sizes}, rounds=5
    )
    by_keys = medians(
        {str(count): partial(resolve, eight_thousand, options(count)) for count in keys}, rounds=5
    )
    for name, taken in by_size.items():
        print(f"{name:>6} parameters × 100 keys  {1000 * taken:7.1f} ms")
    for name, taken in by_keys.items():
        print(f"  8000 parameters × {name:>3} keys  {1000 * taken:7.1f} ms")
    print(f"growth in parameters {growth(sizes, list(by_size.values())):.2f}")
    print(f"growth in keys       {growth(keys, list(by_keys.values())):.2f}")


if __name__ == "__main__":
    main()
