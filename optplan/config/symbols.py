"""Names that stand for something importable, which reading a config never imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    """What an import of a pure-Python config binds: a dotted name, not the thing itself.

    Args:
        dotted: The importable name, such as ``torch.optim.SGD``.
        printed: How the reference writes it in its ``to_dict()``, where that differs: a module
            that was imported as a whole stands there with its name twice.
    """

    dotted: str
    printed: str | None = None

    @property
    def name(self) -> str:
        """The last part of the dotted name."""
        return self.dotted.rpartition(".")[2]

    def attribute(self, name: str) -> Symbol:
        """The symbol for ``self.name``."""
        return Symbol(f"{self.dotted}.{name}")

    def __str__(self) -> str:
        return self.dotted
