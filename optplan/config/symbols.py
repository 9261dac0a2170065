"""Names that stand for something importable, which reading a config never imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    """The value that an import binds: a dotted name, not what it means.

    Args:
        dotted: The importable name, such as ``torch.optim.SGD``.
        printed: How the reference writes it in its ``to_dict()``, where that differs: a module
            that was imported as a whole stands there with its name twice.
    """

    dotted: str
    printed: str | None = None

    @property
    def name(self) -> str:
        """Return the last part of the dotted name."""
        return self.dotted.rpartition(".")[2]

    def attribute(self, name: str) -> Symbol:
        """Return the symbol for ``self.name``."""
        return Symbol(f"{self.dotted}.{name}")

    def __str__(self) -> str:
        return self.dotted


class LiveSymbol(Symbol):
    """A symbol in a file that is executed, where attributes are looked up by Python itself."""

    __slots__ = ()

    def __getattr__(self, name: str) -> LiveSymbol:
        if name.startswith("__"):
            raise AttributeError(name)
        return LiveSymbol(f"{self.dotted}.{name}")

    def __str__(self) -> str:
        return self.name


def as_data(symbol: Symbol) -> Symbol:
    """Return the symbol as data holds it."""
    if symbol.__class__ is Symbol:
        return symbol
    return Symbol(symbol.dotted, symbol.printed)
