"""Models that ultralytics' files describe, such as ``yolo11n.yaml``."""

from __future__ import annotations

import ast
import os
import re
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from optplan.config.files.file_reader import DISK, decoded
from optplan.config.limits import StepCounter
from optplan.config.placed import File
from optplan.errors import ModelError
from optplan.model.meta import build_on_meta
from optplan.places import Source
from optplan.runtime.audit import lifted
from optplan.runtime.installed import find_installed
from optplan.runtime.stdio import suppress_output
from optplan.runtime.where import require_its_process

if TYPE_CHECKING:
    from torch import nn

SUFFIXES = (".yaml", ".yml")
_OPS = "torchvision.ops."
_FETCHES = "TorchVision"  # whose class loads weights
_MOST_REPEATS = 1000
_MOST_CHARACTERS = 200
_WORD = re.compile(r"[\w.+-]*")
_CLASSES = {
    "detect": "DetectionModel",
    "segment": "SegmentationModel",
    "classify": "ClassificationModel",
    "pose": "PoseModel",
    "obb": "OBBModel",
}


def imported_ultralytics() -> None:
    """Import the library, which is kept from writing its settings into the user's folder and from the network.

    Raises:
        ModelError: It is not installed.
    """
    if find_installed("ultralytics") is None:
        raise ModelError("ultralytics is not installed", hint="pip install ultralytics")
    with (
        lifted(),  # the library is optplan's own choice, also where a file names what is made of it
        tempfile.TemporaryDirectory() as folder,
        suppress_output(),
        patch.dict(os.environ, {"YOLO_CONFIG_DIR": folder, "YOLO_OFFLINE": "true"}),
    ):
        import ultralytics.engine.trainer
        import ultralytics.nn.tasks  # noqa: F401


def ultralytics_model(spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a model that a file of ultralytics' describes: one of its own by name, or the user's by path.

    Args:
        spec: The file.
        arguments: Arguments of its class: ``nc`` and ``ch``.

    Raises:
        ModelError: There is no such file, or it cannot be built.
    """
    file = spec if Path(spec).is_file() else None
    if file is not None:
        require_its_process()  # for its bounds; the library evaluates what is held against classes below
    with lifted(), suppress_output():
        imported_ultralytics()
        from ultralytics.nn import tasks

        if file is not None:
            _read_within_bounds(file)
        try:
            described = tasks.yaml_model_load(spec)
        except FileNotFoundError as error:
            raise ModelError(
                f"ultralytics has no model {spec!r}, and there is no such file"
            ) from error
        _refuse_code(described, vars(tasks), spec)
        kind = _CLASSES.get(tasks.guess_model_task(described))
        if kind is None:
            raise ModelError(f"the task of {spec!r} is none of {', '.join(_CLASSES)}")
        make = getattr(tasks, kind)
        built: nn.Module = build_on_meta(
            lambda: make(deepcopy(described), verbose=False, **arguments), repr(spec)
        )
    return built


def _read_within_bounds(path: str) -> None:
    from optplan.config.files.yaml_files import read_yaml

    text = decoded(DISK.read(path)).replace("\r\n", "\n")
    read_yaml(File(Source(name=path, path=path, text=text), text), StepCounter())


def _refuse_code(described: Any, known: Mapping[str, Any], spec: str) -> None:
    """Refuse a model whose file names what is no layer: the library evaluates the one and calls the other.

    Args:
        described: The file's data.
        known: What the library finds layers among.
        spec: The file.

    Raises:
        ModelError: An activation is more than a class of ``torch.nn`` with plain arguments, or a layer is no class
            of modules.
    """
    if not isinstance(described, Mapping):
        raise ModelError(f"{spec!r} describes no model")
    activation = described.get("activation")
    if activation and not _is_activation(activation):
        raise ModelError(f"the activation of {spec!r} is no class of torch.nn: {activation!r}")
    for layer in [*(described.get("backbone") or ()), *(described.get("head") or ())]:
        match layer:
            case [_, int(repeats), str(name), list(arguments)] if repeats <= _MOST_REPEATS:
                pass
            case _:
                raise ModelError(f"a layer of {spec!r} is not [from, repeats, class, arguments]")
        if name == _FETCHES:
            raise ModelError(f"{spec!r} has a layer that loads weights: {name!r}")
        if not _is_module(_layer_class(name, known)):
            raise ModelError(f"{spec!r} names {name!r}, which is no class of layers")
        for text in filter(_is_no_word, arguments):
            raise ModelError(f"an argument of {name!r} in {spec!r} is no name or number: {text!r}")


def _layer_class(name: str, known: Mapping[str, Any]) -> object:
    from torch import nn

    if name.startswith("nn."):
        return getattr(nn, name.removeprefix("nn."), None)
    if name.startswith(_OPS):
        from torchvision import ops

        return getattr(ops, name.removeprefix(_OPS), None)
    return known.get(name)


def _is_module(found: object) -> bool:
    from torch import nn

    return isinstance(found, type) and issubclass(found, nn.Module)


def _is_activation(text: object) -> bool:
    """Return whether a text calls a class of ``torch.nn`` with plain arguments, as ``nn.LeakyReLU(0.1)`` does."""
    from torch import nn

    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        return False
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call):
            return False
        for given in (*call.args, *(one.value for one in call.keywords)):
            ast.literal_eval(given)
    except (SyntaxError, ValueError):
        return False
    before, _, name = ast.unparse(call.func).rpartition(".")
    return before in ("nn", "torch.nn") and _is_module(getattr(nn, name, None))


def _is_no_word(argument: object) -> bool:
    return isinstance(argument, str) and not _WORD.fullmatch(argument)
