"""Models that ultralytics' files describe, such as ``yolo11n.yaml``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from optplan.errors import ModelError
from optplan.model.meta import build_on_meta
from optplan.runtime.installed import find_installed
from optplan.runtime.stdio import suppress_output

if TYPE_CHECKING:
    from torch import nn

SUFFIXES = (".yaml", ".yml")
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
        tempfile.TemporaryDirectory() as folder,
        suppress_output(),
        patch.dict(os.environ, {"YOLO_CONFIG_DIR": folder, "YOLO_OFFLINE": "true"}),
    ):
        import ultralytics.nn.tasks  # noqa: F401


def ultralytics_model(spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a model that a file of ultralytics' describes: one of its own by name, or the user's by path.

    Args:
        spec: The file.
        arguments: Arguments of its class: ``nc`` and ``ch``.

    Raises:
        ModelError: There is no such file, or it cannot be built.
    """
    imported_ultralytics()
    from ultralytics.nn import tasks

    with suppress_output():
        try:
            kind = _CLASSES.get(tasks.guess_model_task(tasks.yaml_model_load(spec)))
        except FileNotFoundError as error:
            raise ModelError(
                f"ultralytics has no model {spec!r}, and there is no such file"
            ) from error
        if kind is None:
            raise ModelError(f"the task of {spec!r} is none of {', '.join(_CLASSES)}")
        make = getattr(tasks, kind)
        built: nn.Module = build_on_meta(lambda: make(spec, verbose=False, **arguments), repr(spec))
    return built
