"""The number of processes that a constructor is told when it asks: that of ``--world-size``, else one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any

import torch
import torch.distributed as dist

from optplan.runtime.audit import lifted

_HOMES = ("torch.distributed", "mmengine.dist")
_VARIABLE = "WORLD_SIZE"
_Asked = Callable[..., Any]


class WorldSize:
    """Answers ``get_world_size`` of torch and mmengine where no processes have been joined.

    Code that asks first whether there is a process group, as ``get_world_size() if is_initialized() else 1``
    does, is answered as in a training of several processes, too.

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
        answers = (
            (_get_world_size, self._world_size, _HOMES),
            (_is_initialized, self._is_initialized, _HOMES[:1]),
            (_get_rank, self._rank, _HOMES[:1]),
        )
        before = os.environ.get(_VARIABLE)
        with ExitStack() as stack:
            for stand_in, answer, homes in answers:
                for home in homes:
                    name = stand_in.__name__.removeprefix("_")
                    found = getattr(sys.modules.get(home), name, None)
                    if isinstance(found, FunctionType) and found.__closure__ is None:
                        stack.enter_context(_answering(found, stand_in.__code__, answer))
            if self._size is not None and before is None:
                os.environ[_VARIABLE] = str(self._size)
                stack.callback(os.environ.pop, _VARIABLE, None)
            yield

    def _world_size(self, real: _Asked, *group: Any) -> Any:
        if _is_joined():
            return real(*group)
        if self._size is None and not _asks_for_itself():
            self.is_missed = True
        return self._size or 1

    def _is_initialized(self, real: _Asked) -> Any:
        if real() or not _asks_for_size():
            return real()
        self.is_missed |= self._size is None
        return self._size is not None

    def _rank(self, real: _Asked, *group: Any) -> Any:
        return 0 if self._size is not None and not _is_joined() else real(*group)


@contextmanager
def _answering(
    function: FunctionType, code: CodeType, answer: Callable[..., Any]
) -> Iterator[None]:
    names, own, name = function.__globals__, function.__code__, code.co_names[0]
    with lifted():  # it is no code of the config's
        real = FunctionType(own, names, function.__name__, function.__defaults__)
    names[name] = lambda *given: answer(real, *given)
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = own
        del names[name]


def _is_joined() -> bool:
    return dist.is_available() and torch.distributed.GroupMember.WORLD is not None


# Each gets the code of one of these, which calls what is put into the module that it stands in.
def _get_world_size(group: Any = None) -> Any:
    return _optplan_world_size(group)  # type: ignore[name-defined]  # noqa: F821


def _is_initialized() -> Any:
    return _optplan_is_initialized()  # type: ignore[name-defined]  # noqa: F821


def _get_rank(group: Any = None) -> Any:
    return _optplan_rank(group)  # type: ignore[name-defined]  # noqa: F821


def _asker() -> FrameType:
    """Return the frame of the code that asks, outside of torch's and mmengine's modules for it."""
    frame = sys._getframe(4)  # noqa: SLF001 - the caller of the function that was replaced
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_HOMES):
        frame = frame.f_back
    return frame


def _asks_for_itself() -> bool:
    """Whether mmengine or torch asks for a purpose of its own, such as logging."""
    return _is_librarys(_asker())


def _is_librarys(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(("mmengine.", "torch."))


def _asks_for_size() -> bool:
    """Whether code asks for a process group, and it or its caller then for the world size."""
    frame = _asker()
    names = (*frame.f_code.co_names, *(frame.f_back.f_code.co_names if frame.f_back else ()))
    return not _is_librarys(frame) and "get_world_size" in names
