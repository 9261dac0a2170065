"""A random batch for a model: the shape that timm knows, or that the user gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from optplan.errors import UsageError, did_you_mean

_BATCH = 2
_WORD = re.compile(r"(\d+(?:x\d+)*)(?::(\w+))?")
_DTYPE_NAMES = ("float32", "float16", "bfloat16", "float64", "int64", "int32")
_DTYPES: Mapping[str, torch.dtype] = {name: getattr(torch, name) for name in _DTYPE_NAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShape:
    """One argument of a forward; without a dtype it has the model's."""

    shape: tuple[int, ...]
    dtype: torch.dtype | None = None


def parse_inputs(words: Sequence[str]) -> tuple[InputShape, ...]:
    """Parse ``2x3x224x224`` or ``2x16:int64``, one word for each argument.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardInputs:
    """What a forward is given, by position or by name.

    Args:
        source: Who says so; None where the user does.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of its tensors."""
        values = [*self.positional, *self.named.values()]
        return tuple(tuple(one.shape) for one in values if isinstance(one, Tensor | InputShape))

    def made(self, module: nn.Module, device: torch.device, seed: int) -> ForwardInputs:
        """Return it with tensors on a device: random ones for shapes, and for what has no values."""

        def value(one: Any) -> Any:
            if isinstance(one, Tensor) and one.is_meta:
                one = InputShape(shape=tuple(one.shape), dtype=one.dtype)
            if isinstance(one, InputShape):
                return random_input(one, module, device, seed)
            return one.to(device) if isinstance(one, Tensor) else one

        return ForwardInputs(
            positional=tuple(map(value, self.positional)),
            named={name: value(one) for name, one in self.named.items()},
            source=self.source,
        )


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield every tensor in a value and in what it holds."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(list(value.values()))
    elif hasattr(value, "__dataclass_fields__"):
        yield from tensors_in(list(vars(value).values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)


def known_batch(module: nn.Module) -> ForwardInputs | None:
    """Return what a library says that a model takes; None where none says it."""
    if shapes := known_inputs(module):
        return ForwardInputs(positional=shapes)
    if (example := getattr(module, "example_input_array", None)) is not None:
        return _batch_of(example, "example_input_array")
    if hasattr(module, "main_input_name"):  # every model of transformers has one, and dummy_inputs
        given = getattr(module, "dummy_inputs", {})
        taken = inspect.signature(module.forward).parameters
        if module.main_input_name in given and given.keys() <= taken.keys():
            return _batch_of(dict(given), "dummy_inputs")
    return None


def _batch_of(example: Any, source: str) -> ForwardInputs:
    if isinstance(example, Mapping):
        return ForwardInputs(named=example, source=source)
    return ForwardInputs(
        positional=tuple(example) if isinstance(example, list | tuple) else (example,),
        source=source,
    )


def known_inputs(module: nn.Module) -> tuple[InputShape, ...] | None:
    """Return what timm says that a model takes; None where nobody says it."""
    config = getattr(module, "default_cfg", None) or getattr(module, "pretrained_cfg", None)
    size = config.get("input_size") if isinstance(config, dict) else None
    if not isinstance(size, tuple | list) or not all(isinstance(one, int) for one in size):
        return None
    return (InputShape(shape=(_BATCH, *size)),)


def random_input(wanted: InputShape, module: nn.Module, device: torch.device, seed: int) -> Tensor:
    """Return a batch of that shape: whole numbers are words that the model's embeddings know."""
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
