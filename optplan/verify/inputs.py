"""A random batch for a model: the shape that timm knows, or that the user gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from optplan.errors import UsageError, did_you_mean

_BATCH = 2
_WORD = re.compile(r"(\d+(?:x\d+)*)(?::(\w+))?")
_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
    "int64": torch.int64,
    "int32": torch.int32,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShape:
    """One argument of a forward; without a dtype it has the model's."""

    shape: tuple[int, ...]
    dtype: torch.dtype | None = None


def parse_inputs(words: Sequence[str]) -> tuple[InputShape, ...]:
    """``2x3x224x224`` or ``2x16:int64``, one word for each argument.

    Raises:
        UsageError: A word that is none of that.
    """
    return tuple(map(_parsed, words))


def _parsed(word: str) -> InputShape:
    match = _WORD.fullmatch(word)
    if match is None:
        raise UsageError(
            f"--input {word!r} is no shape",
            hint="write 2x3x224x224, or 2x16:int64 for whole numbers",
        )
    name = match[2]
    if name is not None and name not in _DTYPES:
        raise UsageError(
            f"--input {word!r}: there is no dtype {name!r}", hint=did_you_mean(name, _DTYPES)
        )
    shape = tuple(int(size) for size in match[1].split("x"))
    return InputShape(shape=shape, dtype=_DTYPES[name] if name else None)


def known_inputs(module: nn.Module) -> tuple[InputShape, ...] | None:
    """What timm says that a model takes; None where nobody says it."""
    config = getattr(module, "default_cfg", None) or getattr(module, "pretrained_cfg", None)
    size = config.get("input_size") if isinstance(config, dict) else None
    if not isinstance(size, tuple | list) or not all(isinstance(one, int) for one in size):
        return None
    return (InputShape(shape=(_BATCH, *size)),)


def random_input(wanted: InputShape, module: nn.Module, device: torch.device, seed: int) -> Tensor:
    """A batch of that shape: whole numbers are words that the model's embeddings know."""
    generator = torch.Generator().manual_seed(seed)
    dtype = wanted.dtype or next(
        (one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32
    )
    if dtype.is_floating_point:
        return torch.randn(wanted.shape, generator=generator).to(device=device, dtype=dtype)
    words = min(
        (part.num_embeddings for part in module.modules() if isinstance(part, nn.Embedding)),
        default=2,
    )
    return torch.randint(words, wanted.shape, generator=generator).to(device=device, dtype=dtype)
