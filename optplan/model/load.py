"""Build the ``nn.Module`` that the user names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optplan.errors import ModelError, did_you_mean, listed, similar_files
from optplan.facts import Inventory
from optplan.hf_specs import ADAPTER, FILE_ARGUMENTS, is_hf_spec
from optplan.model.adapters import with_adapter
from optplan.model.arguments import argument_hint
from optplan.model.huggingface import hf_model
from optplan.model.inventory import make_inventory
from optplan.model.lightning_cli import module_of
from optplan.model.meta import build_on_meta
from optplan.model.torchtitan_models import PREFIX as TORCHTITAN
from optplan.model.torchtitan_models import torchtitan_model
from optplan.model.ultralytics_models import SUFFIXES, ultralytics_model
from optplan.runtime.audit import lifted
from optplan.runtime.user_code import importable_folders, module_in, user_attribute
from optplan.runtime.where import require_its_process

if TYPE_CHECKING:
    from torch import nn


_DEFINED = re.compile(r"^(?:class|def) ([A-Za-z]\w*)", re.MULTILINE)
_MOST_READ = 1 << 20  # characters of a file in search of what it defines
# Names that timm looks up on a hub.
_FETCHED = (
    *("hf_hub:", "hf-hub:", "local-dir:", "timm:hf_hub:", "timm:hf-hub:", "timm:local-dir:"),
    *("http://", "https://"),
)
# What builds a model by its name alone.
_BUILT_BY: dict[str, Callable[[str, Mapping[str, Any]], nn.Module]] = {
    "torchtitan": torchtitan_model,
    "transformers": hf_model,
    "ultralytics": ultralytics_model,
}


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model, how the user named it, and where it came from (``timm``, ``transformers``, ``import``,
    ``file``, ``config``)."""

    module: nn.Module
    spec: str
    source: str

    @cached_property
    def inventory(self) -> Inventory:
        """Its parameters: constructors leave a model as it is, so that those of its first plan hold for all.

        Raises:
            ModelError: As :func:`make_inventory`.
        """
        return make_inventory(self.module, spec=self.spec, source=self.source)


def load_model(spec: str, **arguments: Any) -> nn.Module:
    """Build a model with random weights, on the meta device where its code allows it.

    Args:
        spec: A timm name (``resnet50``, ``vit_base_patch16_224.augreg_in21k``, ``timm:NAME``), a model of
            transformers (``hf:llama``, ``hf:FOLDER``, ``path/to/config.json``), ``package.module:attr``, or
            ``path/to/file.py:attr``, where ``attr`` (dots allowed) is an ``nn.Module`` class, a factory or
            an instance.
        arguments: Arguments for the class or factory, or entries of the config of a model of transformers.

    Raises:
        ModelError: There is no such model, it raises while it is built, or it is no module.
    """
    return open_model(spec, arguments).module


def library_of(spec: str) -> str | None:
    """Return the library that builds a model by its name alone, one of :data:`_BUILT_BY` or ``timm``."""
    if is_hf_spec(spec):
        return "transformers"
    if spec.startswith(TORCHTITAN):
        return "torchtitan"
    head, colon, _ = spec.rpartition(":")
    if spec.endswith(SUFFIXES) and not colon:
        return "ultralytics"
    return "timm" if not spec.startswith(_FETCHED) and (not colon or head == "timm") else None


def open_model(spec: str, arguments: Mapping[str, Any]) -> LoadedModel:
    """Build a model as :func:`load_model` does, and note where it came from."""
    if ADAPTER in arguments:
        require_its_process()  # before a model is built in vain
        rest = {name: value for name, value in arguments.items() if name != ADAPTER}
        return adapted(open_model(spec, rest), arguments[ADAPTER])
    head, _, attr = spec.rpartition(":")
    if spec.startswith(_FETCHED):
        raise _fetched(spec)
    library = library_of(spec)
    if library == "timm":
        if not head:
            _refuse_path(spec)
        return LoadedModel(module=timm_model(attr, arguments), spec=spec, source=library)
    if library is not None:
        module = _BUILT_BY[library](spec, arguments)
        return LoadedModel(module=module, spec=spec, source=library)
    if not attr or not head:
        raise ModelError(
            f"{spec!r} names no model", hint="write package.module:attr or path/to/file.py:attr"
        )
    found = user_attribute(head, attr, ModelError)
    with importable_folders(head), lifted():
        try:
            module = made_module(found, spec, arguments)
        except ModelError as error:
            if hint := argument_hint(found, arguments):
                raise ModelError([replace(one, hint=hint) for one in error.problems]) from error
            raise
    source = "file" if head.endswith(".py") else "import"
    return LoadedModel(module=module, spec=spec, source=source)


def adapted(loaded: LoadedModel, adapter: str) -> LoadedModel:
    """Return a model with an adapter of peft.

    Raises:
        ModelError: As :func:`with_adapter`.
    """
    return replace(loaded, module=with_adapter(loaded.module, adapter))


def timm_model(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build an architecture of timm's by its name alone: nothing in it is taken for a file or a module.

    Raises:
        ModelError: timm has none of that name, or it cannot be built.
    """
    import timm

    if name.startswith(_FETCHED):
        raise _fetched(f"timm:{name}")
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
    return checked_module(
        build_on_meta(lambda: timm.create_model(name, **arguments), f"the timm model {name!r}"),
        name,
    )


def _fetched(spec: str) -> ModelError:
    return ModelError(
        f"{spec!r} would have to be fetched",
        hint="optplan fetches nothing: name an architecture, of timm (resnet50) or of transformers (hf:llama)",
    )


def _unknown_timm_model(name: str, architecture: str) -> ModelError:
    import timm

    hint: str | None
    if "/" in name:
        hint = "optplan fetches nothing: a model of transformers is hf:TYPE, or hf:FOLDER with its config.json"
    else:
        hint = did_you_mean(architecture, timm.list_models())
    return ModelError(f"timm has no model {name!r}", hint=hint)


def _refuse_path(word: str) -> None:
    """Raise ModelError where a word of the command line is no model of timm, but a file, or a module's path."""
    import timm

    if timm.is_model(word.partition(".")[0]):
        return
    if word.endswith(".py") or _is_file(word):
        raise _no_attribute(word)
    if "." in word and (module := module_in(word)) and module != word:
        hint = f"did you mean '{module}:{word.removeprefix(module)[1:]}'?"
        raise ModelError(f"timm has no model {word!r}", hint=hint)


def _no_attribute(path: str) -> ModelError:
    """Return the error of a file without what to build of it."""
    if not _is_file(path):
        return ModelError(f"there is no file {path!r}", hint=similar_files(path))
    if Path(path).is_dir():
        hint = f"a model of transformers in it: hf:{path}; of a file in it: {path}/FILE.py:NAME"
        return ModelError(f"{path!r} is a folder, not a model", hint=hint)
    names: list[str] = []
    if path.endswith(".py") and Path(path).is_file():
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            names = _DEFINED.findall(file.read(_MOST_READ))[:5]
    named = [f"{path}:{name}" for name in names] or [f"{path}:NAME"]
    return ModelError(f"{path!r} is a file: name what to build of it", hint=listed(named))


def _is_file(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except OSError:  # too long for one
        return False


def made_module(found: object, spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Make a module of what a name means: an instance, a class or a factory.

    Raises:
        ModelError: It makes none, or cannot be called with these arguments.
    """
    from torch import nn

    if isinstance(found, nn.Module):
        if arguments:
            raise ModelError(f"{spec!r} is an instance and takes no arguments")
        return found
    if not callable(found):
        raise ModelError(
            f"{spec!r} is of type {type(found).__name__}, neither a module nor something that makes one"
        )
    if arguments.get("pretrained"):
        raise ModelError("pretrained weights are never downloaded", hint="leave pretrained out")
    factory = found
    if FILE_ARGUMENTS in arguments:
        rest = {name: value for name, value in arguments.items() if name != FILE_ARGUMENTS}
        given = {**arguments[FILE_ARGUMENTS], **rest}
        return checked_module(build_on_meta(lambda: module_of(found, given), repr(spec)), spec)
    return checked_module(build_on_meta(lambda: factory(**arguments), repr(spec)), spec)


def checked_module(built: object, spec: str) -> nn.Module:
    """Return what was built, if it is a module.

    Raises:
        ModelError: It is something else.
    """
    from torch import nn

    if isinstance(built, nn.Module):
        return built
    raise ModelError(f"{spec!r} made no nn.Module but a value of type {type(built).__name__}")
