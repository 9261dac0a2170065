"""Building models without memory: on the meta device, as far as their code allows it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from optplan.chatter import chatter_to_stderr
from optplan.errors import ModelError, OptplanError, described_exception
from optplan.offline import download_error, no_network

T = TypeVar("T")

_log = logging.getLogger(__name__)


def build_on_meta(build: Callable[[], T], what: str) -> T:
    """Call a factory so that its parameters take no memory, if it can be had.

    Everything on meta; if the factory cannot (it reads a small tensor while it builds), only what
    allocates parameters on meta; then all of it on the CPU, which is said on stderr. Whatever the
    factory prints goes to stderr.

    Args:
        build: The factory, called once per attempt.
        what: The model's name for messages.

    Raises:
        ModelError: The factory raises on the CPU too, or tries to download.
        OptplanError: The factory raises it: another device would not help.
    """
    import torch

    attempts: tuple[Callable[[], AbstractContextManager[Any]], ...] = (
        lambda: torch.device("meta"),
        _allocations_on_meta,
        nullcontext,
    )
    with chatter_to_stderr():
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
                failure = error
            else:
                if last:
                    _log.warning("%s cannot be built on meta, so it is built on the CPU", what)
                return model
            if not _may_be_metas_fault(failure):
                break
    raise ModelError(
        f"{what} raises while it is built: {described_exception(failure)}"
    ) from failure


def _may_be_metas_fault(error: BaseException) -> bool:
    """Whether another device could help: not where the arguments are wrong."""
    return not isinstance(error, SystemExit | ImportError)


def _allocations_on_meta() -> AbstractContextManager[Any]:
    """Only what allocates parameters goes to meta, all else stays on the CPU."""
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
