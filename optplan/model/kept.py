"""What a config gives its model, and the model may keep but must not call while it is built."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, Self

from optplan.errors import ModelError
from optplan.registries import ROOT


class Kept:
    """Stands for a class or function that is no module: codecs of labels, functions for inference.

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


def kept(name: str, error: ModelError) -> Kept:
    """A stand-in of a class of its own, by which an error that names the class tells which one it is."""
    own = type(f"{Kept.__name__}:{name}", (Kept,), {})
    made: Kept = own(name, error)
    return made


def refused_call(error: BaseException, given: object) -> ModelError | None:
    """The refusal behind an error that was raised while a model was built, None where there is none.

    Args:
        error: The error.
        given: The arguments of the model: a registry that was asked for one of them names its class.
    """
    found = list(_kept_in(given))
    link: BaseException | None = error
    while link is not None:
        for one in found:
            if link is one.error:
                return one.error
        link = link.__cause__ or link.__context__
    return next((one.error for one in found if f"{type(one).__name__}'" in str(error)), None)


def _kept_in(value: object) -> Iterator[Kept]:
    if isinstance(value, Kept):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _kept_in(item)


def is_of_own_registry(found: object) -> bool:
    """Whether a package has registered a class in a registry of its own, for models of its to be made with.

    Such are augmentations of batches and codecs; what mmengine has a registry for is not meant, such as hooks.
    """
    if ROOT not in sys.modules or not inspect.isclass(found):
        return False
    from mmengine.registry import Registry  # type: ignore[import-not-found, unused-ignore]

    package = found.__module__.partition(".")[0]
    registries = vars(sys.modules.get(f"{package}.registry", sys)).values()
    return package != ROOT and any(
        isinstance(registry, Registry)
        and registry.parent is None
        and registry.scope == package
        and any(entry is found for entry in registry.module_dict.values())
        for registry in registries
    )
