"""Hold what a user asks for, as plain data: how a config is read, and what a plan is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.config import Batch


class DialectName(StrEnum):
    """The generations of OpenMMLab's trainers by which a config can be read."""

    MMCV1 = "mmcv1"
    MMENGINE = "mmengine"


@dataclass(frozen=True, kw_only=True)
class ConfigRequest:
    """How a config is read: what the command line asks for."""

    overrides: list[str] | None = None
    function_arg: list[str] | None = None
    dialect: DialectName | None = None
    trust: bool = False

    @cached_property
    def function_arguments(self) -> Mapping[str, Any]:
        """What a function in the place of the config is given beside the model.

        Raises:
            UsageError: A word of ``-a`` is not of the form ``name=value``.
        """
        return named_values("-a", self.function_arg)


@dataclass(frozen=True, kw_only=True)
class PlanRequest(ConfigRequest):
    """What a plan is made of: what the command line asks for."""

    model: str | None = None
    model_arg: list[str] | None = None
    peft: str | None = None
    materialize: bool = False
    no_cache: bool = False
    imports: list[str] | None = None
    world_size: int | None = None
    batch_size: int | None = None
    auto_scale_lr: bool = False

    @cached_property
    def model_arguments(self) -> Mapping[str, Any]:
        """The model's arguments.

        Raises:
            UsageError: A word of ``-k`` is not of the form ``name=value``.
        """
        from optplan.hf_specs import ADAPTER

        given = named_values("-k", self.model_arg)
        return given if self.peft is None else {**given, ADAPTER: self.peft}

    @property
    def batch(self) -> Batch:
        """What is known of the batch."""
        from optplan.config import Batch

        return Batch(
            world_size=self.world_size, size=self.batch_size, auto_scale_lr=self.auto_scale_lr
        )

    @property
    def is_cached(self) -> bool:
        """Whether the cache may be used: no code but torch's and timm's is asked for."""
        return not (self.no_cache or self.trust or self.imports)


def named_values(option: str, words: Iterable[str] | None) -> dict[str, Any]:
    """Return ``name=value`` words as arguments.

    Args:
        option: The option that gives them, for the message.
        words: The words.

    Raises:
        UsageError: A word is not of this form.
    """
    from optplan.errors import UsageError

    arguments: dict[str, Any] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not _is_name(name):
            raise UsageError(f"{option} {word}: write name=value", hint=f"such as {option} width=8")
        arguments[name] = _literal(option, name, value)
    return arguments


def _is_name(word: str) -> bool:
    return all(part.isidentifier() for part in word.split("."))


def _literal(option: str, name: str, value: str) -> object:
    """Return a Python literal; a word that can be none is text, which shells make hard to quote.

    Raises:
        UsageError: It is neither.
    """
    import ast

    from optplan.errors import UsageError

    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if value.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum():
            return value
        raise UsageError(
            f"{option} {name}={value}: {value!r} is no Python literal",
            hint=_one_each(option, f"{name}={value}")
            or f"text with spaces or signs goes in two pairs of quotes: {option} \"{name}='...'\"",
        ) from None


def _one_each(option: str, word: str) -> str | None:
    """Return the hint for several ``name=value`` with commas between them; None for one."""
    parts: list[str] = []
    for part in word.split(","):
        name, equals, _ = part.partition("=")
        if not parts or (equals and _is_name(name)):
            parts.append(part)
        else:  # the comma is inside a value
            parts[-1] += f",{part}"
    if len(parts) == 1:
        return None
    return f"one {option} each: " + " ".join(f"{option} {part}" for part in parts)
