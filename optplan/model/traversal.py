"""Go through all modules that are registered in a model, as optimizer constructors do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from optplan.errors import ModelError
from optplan.model.owner_flags import is_dcn

if TYPE_CHECKING:
    from torch import nn

# Python itself gives up at a thousand nested calls.
_DEEPEST = 500
_METHODS = frozenset({"named_parameters", "_named_members", "named_children"})


class RegisteredModule(NamedTuple):
    """A module with parameters, at one of the paths that it is registered under.

    Args:
        path: The path.
        module: The module.
        parent_is_dcn: Whether its parent is a deformable convolution.
        parameters: Its own parameters by their local names; one may have several.
        visited: The local names that a constructor visits.
    """

    path: str
    module: nn.Module
    parent_is_dcn: bool
    parameters: dict[str, nn.Parameter]
    visited: Collection[str]


class Traversal:
    """Iterate over the modules of a model that own parameters, as ``named_modules(remove_duplicate=False)``.

    A constructor starts at one of the modules. It visits a tensor, and a child, once below one parent, but
    again below another parent.

    Args:
        model: The model.
        start: The module that the constructor starts at.

    Attributes:
        root: The path of that module; None until it is reached.
        classes: The classes of the modules so far.
    """

    def __init__(self, model: nn.Module, start: nn.Module) -> None:
        self._model = model
        self._start = start
        self.root: str | None = None
        self.classes: set[type[nn.Module]] = set()

    def __iter__(self) -> Iterator[RegisteredModule]:
        """Yield each module.

        Raises:
            ModelError: A module contains itself, or is nested too deeply for recursive methods.
        """
        stack: list[tuple[str, nn.Module, bool, bool, frozenset[int]]] = [
            ("", self._model, False, False, frozenset())
        ]
        while stack:
            path, module, parent_is_dcn, is_visited, above = stack.pop()
            if module is self._start and self.root is None:  # at its first path
                self.root, is_visited = path, True
            self.classes.add(type(module))
            own, below = module._parameters, module._modules  # noqa: SLF001
            if not own and not below:  # activations and the like
                continue
            parameters = {name: p for name, p in own.items() if p is not None}
            if parameters:
                names = _visited_parameters(module, parameters) if is_visited else ()
                yield RegisteredModule(path, module, parent_is_dcn, parameters, names)
            if not below:
                continue
            if id(module) in above:
                raise ModelError(f"the module {path!r} contains itself")
            if len(above) > _DEEPEST:
                raise ModelError("the model's modules are nested too deeply to be walked")
            children = {name: child for name, child in below.items() if child is not None}
            names = _visited_children(module, children) if is_visited else ()
            has_dcn = is_dcn(type(module))
            inner_above, inner = above | {id(module)}, f"{path}." if path else ""
            stack += [
                (inner + name, child, has_dcn, name in names, inner_above)
                for name, child in reversed(children.items())
            ]


def parameters_by_name(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return every registered parameter of a model, also one that the model's own methods hide."""
    return {
        f"{found.path}.{local}" if found.path else local: parameter
        for found in Traversal(model, model)
        for local, parameter in found.parameters.items()
    }


@cache
def _inherits_names(kind: type) -> bool:
    """Return whether a class names its parameters and children as ``nn.Module`` does."""
    from torch import nn

    return all(getattr(kind, name) is getattr(nn.Module, name) for name in _METHODS)


def _is_plain(module: nn.Module) -> bool:
    kind: type = type(module)
    return _inherits_names(kind) and _METHODS.isdisjoint(module.__dict__)


def _visited_parameters(module: nn.Module, parameters: dict[str, nn.Parameter]) -> Collection[str]:
    if _is_plain(module):  # the module's own methods are slow
        return _first_names(parameters)
    return {name for name, _ in module.named_parameters(recurse=False)}


def _visited_children(module: nn.Module, children: dict[str, nn.Module]) -> Collection[str]:
    if _is_plain(module):
        return _first_names(children)
    return {name for name, _ in module.named_children()}


def _first_names(entries: dict[str, Any]) -> Collection[str]:
    """Return the first name of each object."""
    if len(entries) < 2 or len(set(map(id, entries.values()))) == len(entries):
        return entries
    first = {id(entry): name for name, entry in reversed(entries.items())}
    return frozenset(first.values())
