"""What torch is asked to do meanwhile: each operation that reads, copies or makes values."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call, unused-ignore]
    """Notes the operations on tensors that have memory; those on the meta device have none."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        made = func(*args, **(kwargs or {}))
        tensors = [one for one in tree_leaves((args, kwargs, made)) if torch.is_tensor(one)]
        if any(one.device.type != "meta" for one in tensors):
            self.names.append(str(func))
        return made
