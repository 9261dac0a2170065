"""From the user's words for a model to an ``nn.Module``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from optplan.chatter import chatter_to_stderr
from optplan.errors import ModelError, did_you_mean
from optplan.model.inventory import FILE_MODULE
from optplan.model.meta import build_on_meta, described, download_error, no_network

if TYPE_CHECKING:
    from torch import nn


# Names that timm looks up on a hub.
_FETCHED = ("hf_hub:", "hf-hub:", "local-dir:", "timm:hf_hub:", "timm:hf-hub:", "timm:local-dir:")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model, how the user named it, and where it came from (``timm``, ``import``, ``file``)."""

    module: nn.Module
    spec: str
    source: str


def load_model(spec: str, **arguments: Any) -> nn.Module:
    """Build a model with random weights, on the meta device where its code allows it.

    Args:
        spec: A timm name (``resnet50``, ``vit_base_patch16_224.augreg_in21k``, ``timm:NAME``),
            ``package.module:attr``, or ``path/to/file.py:attr``, where ``attr`` (dots allowed) is an
            ``nn.Module`` class, a factory or an instance.
        arguments: Arguments for the class or factory.

    Raises:
        ModelError: There is no such model, it raises while it is built, or it is no module.
    """
    return open_model(spec, arguments).module


def open_model(spec: str, arguments: Mapping[str, Any]) -> LoadedModel:
    """As :func:`load_model`, together with where the model came from."""
    head, colon, attr = spec.rpartition(":")
    if spec.startswith(_FETCHED):
        raise ModelError(
            f"{spec!r} would have to be fetched", hint="name an architecture that timm has"
        )
    if not colon or head == "timm":
        return LoadedModel(module=_timm_model(attr, arguments), spec=spec, source="timm")
    if not attr or not head:
        raise ModelError(
            f"{spec!r} names no model", hint="write package.module:attr or path/to/file.py:attr"
        )
    is_file = head.endswith(".py")
    with _importable_folders(head if is_file else None):
        home = _file_module(head) if is_file else _package_module(head)
        found = _attribute(home, attr, spec)
        module = _as_module(found, spec, arguments)
    return LoadedModel(module=module, spec=spec, source="file" if is_file else "import")


def _timm_model(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    import timm

    architecture, dot, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise _unknown_timm_model(name, architecture)
    if dot and name not in (tagged := timm.list_models(f"{architecture}.*", pretrained=True)):
        raise ModelError(
            f"timm has no tag {tag!r} for {architecture!r}",
            hint=did_you_mean(name, tagged) or f"leave the tag out: {architecture}",
        )
    if arguments.get("pretrained"):
        raise ModelError(
            "pretrained weights are never downloaded",
            hint="leave pretrained out, the plan is the same",
        )
    return _checked(
        build_on_meta(lambda: timm.create_model(name, **arguments), f"the timm model {name!r}"),
        name,
    )


def _unknown_timm_model(name: str, architecture: str) -> ModelError:
    import timm

    hint = did_you_mean(architecture, timm.list_models())
    if name.endswith(".py") or (name and Path(name).exists()):
        hint = f"name what to build: {name}:attr"
    return ModelError(f"timm has no model {name!r}", hint=hint)


def _file_module(path: str) -> ModuleType:
    """Run a Python file that the user named, as a module of its own."""
    file = Path(path)
    if not file.is_file():
        raise ModelError(f"there is no file {path!r}", hint=_similar_files(file))
    name = f"{FILE_MODULE}{file.stem}"
    module_spec = importlib.util.spec_from_file_location(name, file)
    if module_spec is None or module_spec.loader is None:
        raise ModelError(f"{path!r} is no Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up
    return _run(lambda: module_spec.loader.exec_module(module), module, path)  # type: ignore[union-attr]


def _similar_files(file: Path) -> str | None:
    folder = file.parent
    return did_you_mean(file.name, [p.name for p in folder.iterdir()]) if folder.is_dir() else None


def _package_module(name: str) -> ModuleType:
    found: list[ModuleType] = []
    marker = ModuleType(name)
    _run(lambda: found.append(importlib.import_module(name)), marker, name)
    return found[0]


def _run(action: Callable[[], None], module: ModuleType, what: str) -> ModuleType:
    """Run an import that the user asked for; its prints go to stderr."""
    tried: list[str] = []
    try:
        with chatter_to_stderr(), no_network() as tried:
            action()
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{what!r} cannot be imported: there is no module {error.name!r}"
        ) from error
    except (Exception, SystemExit) as error:
        if tried:
            raise download_error(repr(what), tried[0]) from error
        raise ModelError(f"{what!r} raises on import: {described(error)}") from error
    return module


@contextmanager
def _importable_folders(file: str | None) -> Iterator[None]:
    """The user named this code, so its folder and the current one may be imported from."""
    folders = [str(Path(file).resolve().parent)] if file else []
    folders.append(str(Path.cwd()))
    before = list(sys.path)
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    try:
        yield
    finally:
        sys.path[:] = before


def _attribute(home: ModuleType, attr: str, spec: str) -> object:
    found: object = home
    for part in attr.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise ModelError(f"{spec!r}: there is no {part!r}", hint=did_you_mean(part, names))
        found = getattr(found, part)
    return found


def _as_module(found: object, spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    from torch import nn

    if isinstance(found, nn.Module):
        if arguments:
            raise ModelError(f"{spec!r} is an instance and takes no arguments")
        return found
    if not callable(found):
        raise ModelError(
            f"{spec!r} is a {type(found).__name__}, neither a module nor something that makes one"
        )
    if arguments.get("pretrained"):
        raise ModelError("pretrained weights are never downloaded", hint="leave pretrained out")
    factory = found
    return _checked(build_on_meta(lambda: factory(**arguments), repr(spec)), spec)


def _checked(built: object, spec: str) -> nn.Module:
    from torch import nn

    if isinstance(built, nn.Module):
        return built
    raise ModelError(f"{spec!r} made no nn.Module but a value of type {type(built).__name__}")
