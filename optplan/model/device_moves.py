"""Let code move a model between devices without effect: a plan needs no device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_MOVES = frozenset(
    getattr(torch.Tensor, name)
    for name in ("cpu", "cuda", "xpu", "ipu", "hpu", "mtia")
    if hasattr(torch.Tensor, name)
)


@contextmanager
def ignore_device_moves() -> Iterator[None]:
    """Keep every tensor on its device meanwhile; changes of dtype that come with a move are made.

    Values cannot be copied off the meta device, and this machine may not have the other device.
    """
    with _IgnoreMoves():
        yield


class _IgnoreMoves(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        kwargs = dict(kwargs or {})
        if func in _MOVES:
            return args[0]
        if func is torch.Tensor.to:
            return _converted(args[0], args[1:], kwargs)
        if func is torch.Tensor.type and args[1:] and isinstance(args[1], str):
            name = args[1].rpartition(".")[2]
            return args[0].to(getattr(torch, name).dtype)
        if func is torch.empty_like:  # what nn.Module.to_empty calls
            kwargs.pop("device", None)
        return func(*args, **kwargs)


def _converted(
    tensor: torch.Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> torch.Tensor:
    """Return what ``Tensor.to`` makes of a tensor with these arguments, but on its own device."""
    given = [*args, kwargs.get("dtype"), kwargs.get("other")]
    dtypes = [one.dtype for one in given if isinstance(one, torch.Tensor)]
    dtypes += [one for one in given if isinstance(one, torch.dtype)]
    flags = [one for one in args if isinstance(one, bool)]  # non_blocking and copy, in this order
    copy = kwargs.get("copy", flags[1] if flags[1:] else False)
    kept = {name: kwargs[name] for name in ("memory_format",) if kwargs.get(name) is not None}
    return tensor.to(dtypes[0] if dtypes else tensor.dtype, copy=copy, **kept)
