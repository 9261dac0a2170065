"""How long it takes to summarize the names of large models, and how that grows.

Run as ``python tests/bench/patterns.py``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from optplan.plan.names.patterns import matcher
from optplan.plan.names.summarize import Summarizer

_BLOCK = [
    f"{part}.{leaf}"
    for part in ("norm1", "norm2", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    for leaf in ("weight", "bias")
]

_coin: Callable[[], float] = random.Random(1).random


def deep(layers: int) -> list[str]:
    """Layers of 100 names each."""
    inner = [*_BLOCK, *(f"adapters.{i}.{leaf}" for i in range(44) for leaf in ("down", "up"))]
    return ["embed.weight", *(f"layers.{i}.{name}" for i in range(layers) for name in inner)]


def experts(layers: int) -> list[str]:
    """A mixture of 64 experts in each layer, 396 names a layer."""
    inner = [
        *_BLOCK,
        *(
            f"experts.{i}.{w}.{leaf}"
            for i in range(64)
            for w in ("w1", "w2", "w3")
            for leaf in ("weight", "bias")
        ),
    ]
    return ["embed.weight", *(f"layers.{i}.{name}" for i in range(layers) for name in inner)]


def unlike(count: int) -> list[str]:
    """Names that share next to nothing."""
    chance = random.Random(0)
    return [".".join(f"m{chance.randrange(count)}" for _ in range(4)) for _ in range(count)]


CASES: dict[str, tuple[Callable[[int], list[str]], Callable[[str], bool]]] = {
    "deep: norms": (lambda n: deep(n // 100), lambda name: "norm" in name),
    "deep: biases that are no norm's": (
        lambda n: deep(n // 100),
        lambda name: name.endswith("bias") and "norm" not in name,
    ),
    "deep: adapters of every third layer": (
        lambda n: deep(n // 100),
        matcher("layers.{" + ",".join(map(str, range(0, 400, 3))) + "}.adapters.*"),
    ),
    "experts: weights": (lambda n: experts(n // 396), lambda name: name.endswith("weight")),
    "experts: some experts of some layers": (
        lambda n: experts(n // 396),
        matcher("layers.{3-9,12}.experts.{0-9,20,30-63}.w{1,3}.*"),
    ),
    "experts: half of the names at random": (lambda n: experts(n // 396), lambda _: _coin() < 0.5),
    "experts: 1 in 100 at random": (lambda n: experts(n // 396), lambda _: _coin() < 0.01),
    "experts: all but 1 in 100 at random": (lambda n: experts(n // 396), lambda _: _coin() > 0.01),
    "deep: half of the names at random": (lambda n: deep(n // 100), lambda _: _coin() < 0.5),
    "unlike names: half at random": (unlike, lambda _: _coin() < 0.5),
}


def main() -> None:
    """Print, for each case, the milliseconds of CPU time at four sizes and the number of patterns."""
    sizes = (2500, 5000, 10_000, 20_000)
    print(f"{'milliseconds for names':42}" + "".join(f"{size:>9}" for size in sizes) + "  patterns")
    for title, (make, wanted) in CASES.items():
        cells, patterns = "", ""
        for size in sizes:
            names = make(size)
            chosen = [name for name in names if wanted(name)]
            began = time.process_time()
            found = Summarizer(names).patterns(chosen)
            cells += f"{(time.process_time() - began) * 1000:9.1f}"
            patterns += f" {len(found)}/{len(chosen)}"
        print(f"{title:42}{cells} {patterns}", flush=True)


if __name__ == "__main__":
    main()
