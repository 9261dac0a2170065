"""The scheduler of ultralytics' trainer, which it steps after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config.placed import place_of
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler

WARMUP = "warmup_epochs"
_READ = ("cos_lr", "lrf")
_WARMING = ("momentum", "warmup_bias_lr", WARMUP, "warmup_momentum")
# How many batches an epoch has, beside what the library reads.
_BATCHES = "batches"


class UltralyticsScheduler(LibraryScheduler):
    """What the trainer makes, and the warm-up of its loop where the batches of an epoch are known."""

    looks_at = "param_group"

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        read = {name: raw[name] for name in _READ if name in raw}
        if not has_warmup(raw) or training.per_epoch is None:
            return read
        warming = {name: raw[name] for name in _WARMING if name in raw}
        return {**read, **warming, _BATCHES: training.per_epoch}

    def name(self, arguments: Mapping[str, Any]) -> str:
        kind = "cosine" if arguments.get("cos_lr") else "linear"
        return f"ultralytics' {kind}{' with its warm-up' if _BATCHES in arguments else ''}"

    def by_epoch(self, arguments: Mapping[str, Any]) -> bool:
        return _BATCHES not in arguments

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        if _BATCHES in arguments:
            from optplan.dialects.ultralytics.loop import WarmingLoop

            return WarmingLoop(arguments, optimizer, training.epochs, arguments[_BATCHES])
        from optplan.dialects.ultralytics.build import scheduler_of

        return scheduler_of(arguments, optimizer, training.epochs)

    def may_accumulate(self, raw: Mapping[str, Any]) -> bool:
        # the library's defaults; the loop raises the number to about their ratio while it warms up
        return bool(raw.get("nbs", 64) > raw.get("batch", 16))

    def unread(self, raw: Mapping[str, Any], training: Training) -> tuple[Unread, ...]:
        return () if training.per_epoch is not None else unread_warmup(raw)


def has_warmup(data: Mapping[str, Any]) -> bool:
    """Return whether the loop warms up; the library does so unless it is told otherwise."""
    return bool(data.get(WARMUP, 3))


def unread_warmup(data: Mapping[str, Any]) -> tuple[Unread, ...]:
    """Return what is not read where nobody says how many batches an epoch has."""
    if not has_warmup(data):
        return ()
    name = "the warm-up of ultralytics' loop, which takes --iters-per-epoch"
    return (Unread(name=name, place=place_of(data, WARMUP)),)
