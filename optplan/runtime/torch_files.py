"""Makes torch announce the files that it opens in native code, which raise no audit events by themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

# By module and name: whether the file is written.
_OPENERS = (
    ("torch._C", "PyTorchFileWriter", True),
    ("torch._C", "PyTorchFileReader", False),
    ("torch._C", "import_ir_module", False),
    ("torch", "from_file", True),
)


def announce_torch_files() -> None:
    """Have torch raise ``open`` events, where it is loaded; once is enough."""
    for module_name, name, is_writing in _OPENERS:
        module = sys.modules.get(module_name)
        found = getattr(module, name, None)
        if found is not None and not isinstance(found, _Announced):
            setattr(module, name, _Announced(found, is_writing=is_writing))


class _Announced:
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
