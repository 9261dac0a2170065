"""What a config was recognized as, and by which of its entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

# What only configs have at their top.
SIGN_OF_CONFIG = re.compile(
    r"^(?:_base_\s*=\s*[\['\"(]|(?:optim_wrapper|optimizer)\s*=\s*(?:dict\b|\{)"
    r"|with\s+read_base\b)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """A dialect that a config is written in.

    Args:
        dialect: The dialect's name; '' in a saved plan, which keeps the title alone.
        title: What reports call it.
        because: The entries of the config that tell, or the option that says so.
    """

    dialect: str = field(default="", compare=False, metadata={"json": None})
    title: str = field(metadata={"json": "name"})
    because: tuple[str, ...] = field(metadata={"json": "signs"})

    def __str__(self) -> str:
        return f"{self.title}: {', '.join(self.because)}"


_CHOSEN: ContextVar[str | None] = ContextVar("dialect", default=None)


@contextmanager
def choosing(dialect: str | None) -> Iterator[None]:
    """Take every config for one of this dialect meanwhile, where it may be; for None its content decides."""
    token = _CHOSEN.set(dialect)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def chosen_dialect() -> str | None:
    """Return the dialect that the user has chosen for all configs."""
    return _CHOSEN.get()
