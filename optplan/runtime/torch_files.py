"""Raise audit events for the files that torch opens in native code, which raises none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import reduce
from typing import Any

# By module and name, the functions that open a file, and whether they write it.
_OPENERS = {
    "torch": {
        "from_file": True,
        "UntypedStorage.from_file": True,
        "ops.aten.from_file": True,
    },
    "torch._C": {
        "PyTorchFileWriter": True,
        "PyTorchFileReader": False,
        "import_ir_module": False,
        "_load_jit_module_from_file": False,
        "_load_mobile_module_from_file": False,
        "_aoti.AOTIModelPackageLoader": False,
        "_aoti.AOTIModelContainerRunnerCpu": False,
        "_aoti.AOTIModelContainerRunnerCuda": False,
    },
    "torchvision.io.image": {
        "torch.ops.image.read_file": False,
        "torch.ops.image.write_file": True,
    },
}


def announce_torch_files() -> None:
    """Have torch raise ``open`` events, where it is loaded; once is enough."""
    for module, openers in _OPENERS.items():
        for name, is_writing in openers.items():
            *path, last = name.split(".")
            owner = reduce(_attribute, path, sys.modules.get(module))
            found = _attribute(owner, last)
            if found is not None and not isinstance(found, _Announced):
                setattr(owner, last, _Announced(found, is_writing=is_writing))


def _attribute(owner: object, name: str) -> Any:
    return getattr(owner, name, None)


class _Announced:
    """Stand in for a function or class that opens files."""

    def __init__(self, opener: Callable[..., Any], *, is_writing: bool) -> None:
        self._opener = opener
        self._flags = os.O_WRONLY | os.O_CREAT if is_writing else os.O_RDONLY

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Open a file, if that is allowed."""
        for one in (*arguments, *named.values()):
            if isinstance(one, str | bytes | os.PathLike):
                sys.audit("open", one, None, self._flags)
        return self._opener(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opener, name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(self._opener, type) and isinstance(instance, self._opener)
