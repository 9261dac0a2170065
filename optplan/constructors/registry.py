"""Registries: classes by the names that configs use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, overload

from optplan.errors import OptplanError

C = TypeVar("C", bound=Callable[..., Any])


class Registry:
    """Classes by name, filled by ``@REGISTRY.register_module()``.

    Args:
        name: What messages call an entry: ``optimizer``, ``constructor``.
        fill: Called once, before the first look, to register the built-in entries.
    """

    def __init__(self, name: str, fill: Callable[[Registry], None] | None = None) -> None:
        self.name = name
        self._fill = fill
        self._entries: dict[str, Callable[..., Any]] = {}
        self._builtin: frozenset[str] = frozenset()

    def _filled(self) -> dict[str, Callable[..., Any]]:
        if self._fill is not None:
            fill, self._fill = self._fill, None
            mine, self._entries = self._entries, {}
            fill(self)
            self._builtin = frozenset(self._entries) - frozenset(mine)
            self._entries |= mine
        return self._entries

    def __contains__(self, name: object) -> bool:
        return name in self._filled()

    def __len__(self) -> int:
        return len(self._filled())

    def __iter__(self) -> Iterator[str]:
        return iter(self._filled())

    def __repr__(self) -> str:
        return f"Registry(name={self.name!r}, entries={list(self._entries)})"

    @property
    def module_dict(self) -> Mapping[str, Callable[..., Any]]:
        """All entries by name."""
        return dict(self._filled())

    def get(self, name: str) -> Callable[..., Any] | None:
        """Return the entry of that name, or None."""
        return self._filled().get(name)

    def added(self, name: str) -> Callable[..., Any] | None:
        """Return the entry of that name that a user has registered, or None."""
        entries = self._filled()
        return None if name in self._builtin else entries.get(name)

    def builtin(self, name: str) -> Callable[..., Any] | None:
        """Return the built-in entry of that name, or None; also where a user has replaced it."""
        return self.get(name) if name in self._builtin else None

    @overload
    def register_module(self, name: C, force: bool = False, module: None = None) -> C: ...
    @overload
    def register_module(
        self, name: str | Sequence[str] | None = None, force: bool = False, module: None = None
    ) -> Callable[[C], C]: ...
    @overload
    def register_module(
        self, name: str | Sequence[str] | None = None, force: bool = False, *, module: C
    ) -> C: ...
    def register_module(
        self,
        name: str | Sequence[str] | C | None = None,
        force: bool = False,
        module: C | None = None,
    ) -> C | Callable[[C], C]:
        """Register a class, as a decorator or with ``module=``.

        Args:
            name: One name or several; the class's own name by default. A class in its place is what to
                register, as older code writes it.
            force: Replace an entry of that name.
            module: The class, where this is no decorator.

        Raises:
            KeyError: The name is taken by another of the user's classes and ``force`` is false.
            TypeError: ``name`` is no name, or what is registered cannot be called.
        """
        if isinstance(name, type):
            return self._register(cast("C", name), None, force)
        names = [name] if isinstance(name, str) else cast("Sequence[str] | None", name)
        if names is not None and not all(isinstance(one, str) for one in names):
            raise TypeError(f"a name in the registry must be a string, got {name!r}")
        if module is not None:
            return self._register(module, names, force)
        return lambda decorated: self._register(decorated, names, force)

    def _register(self, module: C, names: Sequence[str] | None, force: bool) -> C:
        if not callable(module):
            raise TypeError(f"only a class or a function can be registered, got {module!r}")
        entries = self._filled() if self._fill is None else self._entries
        for name in names or [module.__name__]:
            if not force and name in entries and name not in self._builtin:
                raise KeyError(f"{name!r} is already a registered {self.name}")
            entries[name] = module
            self._builtin -= {name}
        return module

    def build(self, cfg: Mapping[str, Any], **default_args: Any) -> Any:
        """Make an entry from a config dict: ``type`` names it, all else are its arguments.

        Raises:
            OptplanError: No ``type``, or no entry of that name.
        """
        arguments = {**default_args, **cfg}
        kind = arguments.pop("type", None)
        found = self.get(kind) if isinstance(kind, str) else kind
        if found is None:
            raise OptplanError(f"there is no {self.name} {kind!r}")
        return found(**arguments)
