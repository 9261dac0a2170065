"""Everything that is registered in a model, and the way that constructors go through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from optplan.errors import ModelError
from optplan.model.owners import is_dcn

if TYPE_CHECKING:
    from torch import nn

# Python itself gives up at a thousand calls inside each other.
_DEEPEST = 500


class Registered(NamedTuple):
    """A module with parameters, at one of the paths that it is registered under.

    Args:
        path: The path.
        module: The module.
        parent_is_dcn: Whether its parent is a deformable convolution.
        parameters: Its own parameters by their local names; one may have several.
        walked: Those of these names that the constructor's walk comes by.
    """

    path: str
    module: nn.Module
    parent_is_dcn: bool
    parameters: dict[str, nn.Parameter]
    walked: Iterable[str]


class Walk:
    """A way through everything that is registered in a model.

    The constructor walks the modules from one of them on, where it comes by a tensor, and by a child, once
    below one parent, but again below another parent.

    Args:
        model: The model.
        start: The module that the constructor's walk starts at.

    Attributes:
        root: The path of that module, None as long as it was not come by.
    """

    def __init__(self, model: nn.Module, start: nn.Module) -> None:
        self._model = model
        self._start = start
        self._kinds = _Kinds()
        self.root: str | None = None

    @property
    def kinds(self) -> Iterable[type[nn.Module]]:
        """The classes of the modules that were come by."""
        return self._kinds.keys()

    def __iter__(self) -> Iterator[Registered]:
        """The modules that own parameters, in the order of ``named_modules(remove_duplicate=False)``.

        Raises:
            ModelError: A module is below itself, where the walk would have no end, or too deep for those
                who walk by calling themselves.
        """
        kinds = self._kinds
        stack: list[tuple[str, nn.Module, bool, bool, frozenset[int]]] = [
            ("", self._model, False, False, frozenset())
        ]
        while stack:
            path, module, parent_is_dcn, walked, above = stack.pop()
            if module is self._start and self.root is None:  # the walk starts at the first path
                self.root = path
                walked = True
            kind = kinds[type(module)]
            own, below = module._parameters, module._modules  # noqa: SLF001
            if not own and not below:  # activations and the like
                continue
            is_plain = kind.is_plain and _METHODS.isdisjoint(module.__dict__)
            parameters = {name: p for name, p in own.items() if p is not None}
            if parameters:
                names = _walked_parameters(module, parameters, is_plain=is_plain) if walked else ()
                yield Registered(path, module, parent_is_dcn, parameters, names)
            if not below:
                continue
            if id(module) in above:
                raise ModelError(f"the module {path!r} contains itself")
            if len(above) > _DEEPEST:
                raise ModelError("the model's modules are nested too deeply to be walked")
            children = {name: child for name, child in below.items() if child is not None}
            names = _walked_children(module, children, is_plain=is_plain) if walked else ()
            inner_above = above | {id(module)}
            inner = f"{path}." if path else ""
            stack += [
                (inner + name, child, kind.is_dcn, name in names, inner_above)
                for name, child in reversed(children.items())
            ]


def parameters_by_name(model: nn.Module) -> dict[str, nn.Parameter]:
    """Every registered parameter of a model without circles, also one that the model's own methods hide."""
    found: dict[str, nn.Parameter] = {}
    stack = [("", model)]
    while stack:
        above, module = stack.pop()
        for local, parameter in module._parameters.items():  # noqa: SLF001
            if parameter is not None:
                found[above + local] = parameter
        for name, child in module._modules.items():  # noqa: SLF001
            if child is not None:
                stack.append((f"{above}{name}.", child))
    return found


class _Kinds(dict["type[nn.Module]", "_Kind"]):
    """What is known of the classes of modules, each looked at once."""

    def __missing__(self, kind: type[nn.Module]) -> _Kind:
        found = self[kind] = _Kind(kind)
        return found


class _Kind:
    """How modules of one class are walked."""

    def __init__(self, kind: type[nn.Module]) -> None:
        from torch import nn

        self.is_dcn = is_dcn(kind)
        # to ask a module takes long, and most give their names as torch does
        self.is_plain = all(getattr(kind, name) is getattr(nn.Module, name) for name in _METHODS)


def _walked_parameters(
    module: nn.Module, parameters: dict[str, nn.Parameter], *, is_plain: bool
) -> Iterable[str]:
    """The names of a module's own parameters that the walk comes by."""
    if is_plain:
        return _first_names(parameters)
    return {name for name, _ in module.named_parameters(recurse=False)}


def _walked_children(
    module: nn.Module, children: dict[str, nn.Module], *, is_plain: bool
) -> Iterable[str]:
    """The names of a module's children that the walk comes by."""
    if is_plain:
        return _first_names(children)
    return {name for name, _ in module.named_children()}


_METHODS = frozenset({"named_parameters", "_named_members", "named_children"})


def _first_names(entries: dict[str, Any]) -> Iterable[str]:
    """Names of things, each under its first."""
    if len(entries) < 2:
        return entries
    if len(set(map(id, entries.values()))) == len(entries):
        return entries
    first = {id(entry): name for name, entry in reversed(entries.items())}
    return frozenset(first.values())
