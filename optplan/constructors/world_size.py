"""Answer a constructor that asks for the number of processes: that of ``--world-size``, else one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dis import Instruction, get_instructions
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
        if self._size is None and not (_asks_for_itself() or _asks_for_rank_alone()):
            self.is_missed = True
        return self._size or 1

    def _is_initialized(self, real: _Asked) -> Any:
        if real() or not _asks_for_size() or _asks_for_rank_alone():
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


def takes_rank_alone(caller: FrameType | None) -> bool:
    """Return whether code that calls ``get_dist_info`` drops the world size: ``rank, _ = get_dist_info()``.

    Args:
        caller: The frame of the code.
    """
    if caller is None:
        return False
    found = [one for one in get_instructions(caller.f_code) if one.opname != "CACHE"]
    after = [one for one in found if one.offset > caller.f_lasti]
    if len(after) > 1 and after[0].opname.startswith("LOAD") and after[0].argval == 0:
        return after[1].opname in ("BINARY_SUBSCR", "BINARY_OP")
    if not after or after[0].opname != "UNPACK_SEQUENCE":
        return False
    stored = [name for one in after[1:3] for name in _names_of(one)]
    loaded = {name for one in found if "LOAD" in one.opname for name in _names_of(one)}
    return len(stored) > 1 and stored[1] not in loaded


def _names_of(instruction: Instruction) -> tuple[object, ...]:
    """Return the names that an instruction is for: some Pythons have instructions for two."""
    value = instruction.argval
    return value if isinstance(value, tuple) else (value,)


def _asks_for_rank_alone() -> bool:
    """Return whether it is ``get_dist_info`` that asks, for code that drops the world size."""
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001 - what the replaced function was called by
    while frame is not None and frame.f_code.co_name != "get_dist_info":
        is_between = str(frame.f_globals.get("__name__", "")).startswith(
            (*_HOMES, "optplan.constructors.world_size")
        )
        frame = frame.f_back if is_between else None
    return frame is not None and takes_rank_alone(frame.f_back)


def _asks_for_itself() -> bool:
    """Return whether mmengine or torch asks for a purpose of its own, such as logging."""
    return _is_librarys(_asker())


def _is_librarys(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(("mmengine.", "torch."))


def _asks_for_size() -> bool:
    """Return whether code asks for a process group, and it or its caller then for the world size."""
    frame = _asker()
    names = (*frame.f_code.co_names, *(frame.f_back.f_code.co_names if frame.f_back else ()))
    return not _is_librarys(frame) and "get_world_size" in names
