"""LightningCLI's own parser at work on parts of its file: the module, and the optimizer with its scheduler."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optplan.config.own_model import OwnModel
from optplan.errors import ModelError, PlanError
from optplan.model.arguments import imported, require_module_class
from optplan.model.class_paths import CLASS, as_written, class_paths, refusals
from optplan.model.meta import build_on_meta
from optplan.runtime.audit import lifted
from optplan.runtime.gate import installed_only
from optplan.runtime.installed import is_users_file
from optplan.runtime.stdio import remark, suppress_output

if TYPE_CHECKING:
    from torch import nn

# Where either package has its LightningCLI.
_PACKAGES = ("lightning", "pytorch_lightning")
_HOMES = ("lightning.pytorch", "pytorch_lightning")


def own_module(own: OwnModel) -> nn.Module:
    """Build the module that a file of LightningCLI names.

    Raises:
        ModelError: Nothing that is installed has a class that it names, or the library refuses it.
    """
    for path, place in class_paths(own.section):
        if "." in path:
            _let_source_be_read(imported(path, own, place))
    if "." in (kind := str(own.type)):
        require_module_class(imported(kind, own, own.place), kind, own, own.place)
    written = {
        name: own.section[name] for name in ("init_args", "dict_kwargs") if name in own.section
    }
    section = {CLASS: kind, **_without_weights(as_written(written))}

    def build() -> Any:
        with installed_only() if not own.namespace.trusted else lifted():
            return _parsed_module(None, section, own.section)

    module: nn.Module = build_on_meta(build, repr(own.name))
    return module


def _let_source_be_read(found: object) -> None:
    """Read the files of a class that the user has imported: the library finds in them what the class takes."""
    for base in getattr(found, "__mro__", ()):
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if file is not None and is_users_file(file):
            with lifted():
                linecache.getlines(file)


def module_of(kind: Any, arguments: Mapping[str, Any]) -> Any:
    """Return a module of the user's own class with the arguments of a file, as LightningCLI makes it.

    Raises:
        ModelError: The library refuses the arguments.
    """
    return _parsed_module(kind, _without_weights(as_written(arguments)), arguments)


@contextmanager
def configured(module: nn.Module, parts: Mapping[str, Any]) -> Iterator[None]:
    """Let LightningCLI override meanwhile how a module configures its optimizers.

    Args:
        module: The module.
        parts: The ``optimizer`` and the ``lr_scheduler`` of its file.

    Raises:
        PlanError: The library refuses them.
    """
    parts = {name: part for name, part in parts.items() if part is not None}
    if "optimizer" not in parts:
        yield
        return
    with refusals(parts, PlanError), suppress_output():
        _cli(_package_of(module)).configure(module, as_written(parts))
    try:
        yield
    finally:
        vars(module).pop("configure_optimizers", None)


def _without_weights(value: Any) -> Any:
    """Return arguments that ask for no weights, which are not downloaded; what is changed is said."""
    if isinstance(value, Mapping):
        if value.get("pretrained") is True:
            remark(["pretrained: true is read as false: weights are never downloaded"])
        return {
            name: False if name == "pretrained" and item is True else _without_weights(item)
            for name, item in value.items()
        }
    return [_without_weights(item) for item in value] if isinstance(value, list) else value


def _package_of(found: Any) -> str:
    """Return the package that a module's class inherits from, else the one that is installed."""
    kind = found if isinstance(found, type) else type(found)
    homes = [
        base.__module__.partition(".")[0]
        for base in kind.__mro__
        if base.__name__ == "LightningModule"
    ]
    known = next((home for home in homes if home in _PACKAGES), None)
    return known or next((one for one in _PACKAGES if util.find_spec(one)), "lightning")


def _parsed_module(kind: Any, section: Mapping[str, Any], written: Mapping[str, Any]) -> Any:
    with refusals(written):
        return _cli(_package_of(kind or _loaded(str(section[CLASS])))).module(kind, section)


def _loaded(path: str) -> Any:
    """Return the class that a path means, or a bare name that a loaded class of modules has."""
    module, _, name = path.rpartition(".")
    if module:
        return getattr(sys.modules.get(module), name, None)
    roots = (getattr(sys.modules.get(one), "LightningModule", None) for one in _HOMES)
    below = [root for root in roots if root is not None]
    for one in below:
        below += one.__subclasses__()
    named = (one for one in below if one.__name__ == name)
    return next(
        (one for one in named if getattr(sys.modules.get(one.__module__), name, None) is one), None
    )


def _full_path(part: Any) -> Any:
    """Return a part with the whole path of its class, where that is torch's alone: copies are made of these."""
    from torch import optim

    name = part.get(CLASS, "") if isinstance(part, Mapping) else ""
    for home in (optim, optim.lr_scheduler):
        found = getattr(home, name, None)
        if isinstance(found, type) and not _has_namesake(found):
            return {**part, CLASS: f"{home.__name__}.{name}"}
    return part


def _has_namesake(kind: type) -> bool:
    root = next(
        base for base in reversed(kind.__mro__) if base.__module__.startswith("torch.optim")
    )
    below = [root]
    for one in below:
        below += one.__subclasses__()
    return any(
        one.__name__ == kind.__name__ and not one.__module__.startswith("torch.optim.")
        for one in below
    )


def require_cli() -> None:
    """Refuse to go on without the library.

    Raises:
        ModelError: A package of it is not installed.
    """
    if not any(util.find_spec(one) for one in _PACKAGES):
        missing = "lightning"
    elif util.find_spec("jsonargparse") is None or util.find_spec("docstring_parser") is None:
        missing = "jsonargparse[signatures]"
    else:
        return
    raise ModelError(
        f"the file is read by LightningCLI, and {missing} is not installed",
        hint="pip install lightning 'jsonargparse[signatures]'",
    )


def _cli(package: str) -> Any:
    """Return what runs a package's own LightningCLI on one part of a file."""
    require_cli()
    with lifted(), suppress_output():
        kind: Any
        if package == "lightning":
            from lightning.pytorch import cli

            kind = cli.LightningCLI
        else:
            from pytorch_lightning.cli import LightningCLI

            kind = LightningCLI
    return _Runner(kind)


class _Runner:
    """Runs a LightningCLI without its trainer and its data.

    Args:
        kind: The class of the package.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def module(self, module_class: Any, section: Mapping[str, Any]) -> Any:
        """Return the module that the library makes of a section."""

        class OnlyModule(self._kind):  # type: ignore[misc, name-defined]
            def add_core_arguments_to_parser(self, parser: Any) -> None:
                parser.add_lightning_class_args(
                    self._model_class, "model", subclass_mode=self.subclass_mode_model
                )

            def instantiate_trainer(self, **_: Any) -> None:
                return None

        return self._run(OnlyModule, module_class, {"model": section}).model

    def configure(self, module: Any, parts: Mapping[str, Any]) -> None:
        """Override a module's ``configure_optimizers`` as the library does."""

        class OnlyOptimizer(self._kind):  # type: ignore[misc, name-defined]
            def add_core_arguments_to_parser(self, parser: Any) -> None:
                pass

            def instantiate_classes(self) -> None:
                self.config_init = self.parser.instantiate_classes(self.config)
                self.model = module
                self._add_configure_optimizers_method_to_model(self.subcommand)

        self._run(OnlyOptimizer, None, {name: _full_path(part) for name, part in parts.items()})

    def _run(self, kind: Any, module_class: Any, parts: Mapping[str, Any]) -> Any:
        kind.__name__ = kind.__qualname__ = self._kind.__name__
        argv, sys.argv = sys.argv, sys.argv[:1]  # the library warns of further words
        try:
            with _stubs_on_our_path():
                return kind(
                    module_class,
                    run=False,
                    args=dict(parts),
                    save_config_callback=None,
                    seed_everything_default=False,
                    parser_kwargs={"exit_on_error": False},
                )
        finally:
            sys.argv = argv


@contextmanager
def _stubs_on_our_path() -> Iterator[None]:
    """Have the library look for stubs on this process's path meanwhile, which else it asks another process for."""
    client: Any = sys.modules.get("typeshed_client")
    if client is None:
        yield
        return
    real = client.get_search_context
    path = [Path(one) for one in sys.path if one]
    client.get_search_context = lambda **named: real(**{"search_path": path, **named})
    try:
        yield
    finally:
        client.get_search_context = real
