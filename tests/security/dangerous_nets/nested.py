"""Modules whose children are sections of the config, and wrappers of mmengine's kind."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS
from torch import nn


class Nested(BaseModel):  # type: ignore[misc]
    def __init__(
        self, children: list[Any], data_preprocessor: Any = None, init_cfg: Any = None
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.parts = nn.ModuleList(MODELS.build(dict(child)) for child in children)

    def forward(self, *_: Any, **__: Any) -> None:
        """As BaseModel asks for."""


class EvaluatingWrapper(OptimWrapper):  # type: ignore[misc]
    def __init__(self, optimizer: Any, text: str, **options: Any) -> None:
        eval(text)
        super().__init__(optimizer, **options)
