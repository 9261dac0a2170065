"""Stand-ins for classes and functions that a config gives its model, and that must not be called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from optplan.errors import ModelError


class Uncallable:
    """Stand for a class or function that is no module: codecs of labels, functions for inference.

    Args:
        name: Its dotted name.
        error: What calling it raises.
    """

    def __init__(self, name: str, error: ModelError) -> None:
        self.error = error
        self.__name__ = self.__qualname__ = name.rpartition(".")[2]

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse the call.

        Raises:
            ModelError: Always.
        """
        raise self.error

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self


def uncallable(name: str, error: ModelError) -> Uncallable:
    """Return a stand-in with a class of its own: an error that names the class tells which one it is."""
    own = type(f"{Uncallable.__name__}:{name}", (Uncallable,), {})
    made: Uncallable = own(name, error)
    return made


def refused_call(error: BaseException, given: object) -> ModelError | None:
    """Return the refused call behind an error that was raised while a model was built; None for none.

    Args:
        error: The error.
        given: The arguments of the model: a registry that was asked for one of them names its class.
    """
    found = list(_uncallables_in(given))
    link: BaseException | None = error
    while link is not None:
        for one in found:
            if link is one.error:
                return one.error
        link = link.__cause__ or link.__context__
    return next((one.error for one in found if f"{type(one).__name__}'" in str(error)), None)


def _uncallables_in(value: object) -> Iterator[Uncallable]:
    if isinstance(value, Uncallable):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _uncallables_in(item)
