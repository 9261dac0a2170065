"""Build models without memory: on the meta device, as far as their code allows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from optplan.errors import ModelError, OptplanError, described_exception
from optplan.runtime.audit import download_error, lifted, no_network, refusal
from optplan.runtime.stdio import stdout_to_stderr
from optplan.runtime.where import RefusedError

if TYPE_CHECKING:
    from torch import nn

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Memory(StrEnum):
    """The parts of a model that are given memory when it is built."""

    NONE = "none"
    BUFFERS = "buffers"
    ALL = "all"


_memory: ContextVar[Memory] = ContextVar("memory", default=Memory.NONE)


@contextmanager
def given_memory(memory: Memory) -> Iterator[None]:
    """Build models meanwhile with memory of their own, on the CPU: those that are to be run.

    Args:
        memory: With ``BUFFERS`` parameters take none, whose values can be made later, but buffers have
            their values, which can not.
    """
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def import_torch() -> None:
    """Import torch and timm, for our own use and not for a file's."""
    with lifted():
        import timm  # noqa: F401
        import torch  # noqa: F401


def build_on_meta(build: Callable[[], T], what: str, *, falls_back: bool = True) -> T:
    """Call a factory so that its parameters take no memory, if its code allows that.

    Everything on meta; if the factory cannot (it reads a small tensor while it builds), only what
    allocates parameters on meta; then all of it on the CPU, which is said on stderr. Whatever the
    factory prints goes to stderr.

    Args:
        build: The factory, called once per attempt.
        what: The model's name for messages.
        falls_back: Whether to try the CPU; not for a library whose models are all made for meta, and where
            a large one would take all memory only to raise again.

    Raises:
        ModelError: The factory raises on the CPU too, or tries to download.
        OptplanError: The factory raises it: another device would not help.
    """
    attempts = _attempts(_memory.get())
    if not falls_back:
        attempts = attempts[:1]
    with stdout_to_stderr():
        for attempt in attempts:
            last = attempt is attempts[-1]
            try:
                with no_network() as tried, attempt():
                    model = build()
            except OptplanError:
                raise
            except (Exception, SystemExit) as error:
                if tried:
                    raise download_error(what, tried[0]) from error
                if isinstance(error, RefusedError):
                    raise ModelError([refusal(what, error)]) from error
                failure = error
            else:
                if last and len(attempts) > 1:
                    _log.warning("%s cannot be built on meta, so it is built on the CPU", what)
                return model
            if isinstance(failure, SystemExit | ImportError):
                break
    raise ModelError(
        f"{what} raises while it is built: {described_exception(failure)}"
    ) from failure


def _attempts(memory: Memory) -> tuple[Callable[[], AbstractContextManager[Any]], ...]:
    import torch
    from torch.torch_version import TorchVersion

    if TorchVersion(torch.__version__) < "2.9":
        # computes while it is imported, which fails where models that import it are built on meta
        import torch._dynamo

    match memory:
        case Memory.NONE:
            return lambda: torch.device("meta"), _allocations_on_meta, nullcontext
        case Memory.BUFFERS:
            return _parameters_on_meta, nullcontext
        case Memory.ALL:
            return (nullcontext,)


def _allocations_on_meta() -> AbstractContextManager[Any]:
    """Put what allocates parameters on the meta device; all else stays on the CPU."""
    import torch
    from torch.overrides import TorchFunctionMode

    names = ("empty", "zeros", "ones", "full", "rand", "randn")
    functions = {getattr(torch, n) for n in names} | {getattr(torch, f"{n}_like") for n in names}

    class AllocationsOnMeta(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in functions and kwargs.get("device") is None:
                kwargs = {**kwargs, "device": "meta"}
            return func(*args, **kwargs)

    return AllocationsOnMeta()


@contextmanager
def _parameters_on_meta() -> Iterator[None]:
    """Move each parameter to the meta device as it is registered; a shared one becomes one."""
    import weakref

    import torch
    from torch import nn

    known: dict[int, tuple[weakref.ref[nn.Parameter], nn.Parameter]] = {}
    real = nn.Module.register_parameter

    def shell(parameter: nn.Parameter) -> nn.Parameter:
        entry = known.get(id(parameter))
        if entry is not None and entry[0]() is parameter:
            return entry[1]
        made = nn.Parameter(
            torch.empty_like(parameter, device="meta"), requires_grad=parameter.requires_grad
        )
        made.__dict__.update(parameter.__dict__)
        known[id(parameter)] = weakref.ref(parameter), made
        return made

    def register(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        takes_memory = param is not None and not param.is_meta
        real(self, name, shell(param) if param is not None and takes_memory else param)

    nn.Module.register_parameter = register  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = real  # type: ignore[method-assign]
