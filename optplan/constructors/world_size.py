"""The number of processes that a constructor is told when it asks: that of ``--world-size``, else one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FunctionType
from typing import Any

import torch.distributed as dist

from optplan.runtime.audit import lifted

_ANSWER = "_optplan_world_size"
_HOMES = ("torch.distributed", "mmengine.dist")


class WorldSize:
    """Answers ``get_world_size`` of torch and mmengine where no processes have been joined.

    Args:
        size: The number of processes; None where it is not known.

    Attributes:
        is_missed: Other people's code has asked, and it is not known.
    """

    def __init__(self, size: int | None) -> None:
        self._size = size
        self.is_missed = False

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Let the functions answer so meanwhile, under whatever name they were imported."""
        with ExitStack() as stack:
            for home in _HOMES:
                found = getattr(sys.modules.get(home), "get_world_size", None)
                if isinstance(found, FunctionType) and found.__closure__ is None:
                    stack.enter_context(self._answering(found))
            yield

    @contextmanager
    def _answering(self, function: FunctionType) -> Iterator[None]:
        names, code = function.__globals__, function.__code__
        with lifted():  # it is no code of the config's
            real = FunctionType(code, names, function.__name__, function.__defaults__)
        names[_ANSWER] = lambda group: self._answer(real, group)
        function.__code__ = _get_world_size.__code__
        try:
            yield
        finally:
            function.__code__ = code
            del names[_ANSWER]

    def _answer(self, real: Callable[[Any], int], group: Any) -> int:
        if dist.is_available() and dist.is_initialized():
            return real(group)
        if self._size is None and not _asks_for_itself():
            self.is_missed = True
        return self._size or 1


def _get_world_size(group: Any = None) -> Any:
    return _optplan_world_size(group)  # type: ignore[name-defined]  # noqa: F821 - of the module that it stands in


def _asks_for_itself() -> bool:
    """Whether mmengine or torch asks for a purpose of its own, such as logging."""
    frame = sys._getframe(3)  # noqa: SLF001 - the caller of the function that was replaced
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_HOMES):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).startswith(("mmengine.", "torch."))
