"""Record what a model holds, so that changes of it show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import torch
from torch import Tensor, nn

from optplan.verify.results import Mismatch
from optplan.verify.tensors import digest, local


class ModelContent:
    """The values of a model's parameters and buffers, and which are trainable.

    Args:
        module: The model.
    """

    def __init__(self, module: nn.Module) -> None:
        self._parameters = {name: digest(one) for name, one in module.named_parameters()}
        self._buffers = {name: digest(one) for name, one in module.named_buffers()}
        self._trainable = {name: one.requires_grad for name, one in module.named_parameters()}
        self._graded = tuple(
            name for name, one in module.named_parameters() if _is_graded(one.grad)
        )

    def changes(self, later: ModelContent) -> tuple[Mismatch, ...]:
        """Return what is another later, after the optimizer was made."""
        return tuple(
            chain(
                _values("values", self._parameters, later._parameters),
                _values("buffers", self._buffers, later._buffers),
                later._gradients(),
                self._flags(later, "frozen", is_trainable=True),
                self._flags(later, "made trainable", is_trainable=False),
            )
        )

    def _gradients(self) -> Iterator[Mismatch]:
        if self._graded:
            yield Mismatch(
                what="gradient",
                planned="none before the first backward",
                built="left while the optimizer was made",
                parameters=self._graded,
            )

    def _flags(self, later: ModelContent, what: str, *, is_trainable: bool) -> Iterator[Mismatch]:
        names = tuple(
            name
            for name, was in self._trainable.items()
            if was is is_trainable and later._trainable.get(name, was) is not was
        )
        if names:
            planned = "as the model has it"
            yield Mismatch(what="requires_grad", planned=planned, built=what, parameters=names)


def _values(
    what: str, before: Mapping[str, Tensor], later: Mapping[str, Tensor]
) -> Iterator[Mismatch]:
    names = tuple(
        name for name, one in before.items() if name in later and not _is_same(one, later[name])
    )
    if names:
        yield Mismatch(
            what=what,
            planned="as the model makes them",
            built="changed while the optimizer was made",
            parameters=names,
        )


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, 0, 0, equal_nan=True)


def _is_graded(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(local(gradient.detach()).any())
