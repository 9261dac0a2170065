"""The scheduler of timm's ``train.py``, by the entries of its ``args.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.config import place_of
from optplan.dialects.timm.arguments import as_parsed
from optplan.schedule.training import Training
from optplan.schedule.unread import Unread
from optplan.schedule.written import LibraryScheduler, Section, Written

FACTORY = "timm.scheduler.create_scheduler_v2"
# What train.py takes where a file says nothing. As read in the repository of timm 1.0.
_DEFAULTS: Mapping[str, Any] = {
    "sched": "cosine",
    "sched_on_updates": False,
    "epochs": 300,
    "decay_epochs": 90,
    "decay_milestones": (90, 180, 270),
    "warmup_epochs": 5,
    "warmup_lr": 1e-5,
    "warmup_prefix": False,
    "cooldown_epochs": 0,
    "patience_epochs": 10,
    "decay_rate": 0.1,
    "min_lr": 0.0,
    "lr_noise": None,
    "lr_noise_pct": 0.67,
    "lr_noise_std": 1.0,
    "seed": 42,
    "lr_cycle_mul": 1.0,
    "lr_cycle_decay": 0.5,
    "lr_cycle_limit": 1,
    "lr_k_decay": 1.0,
    "eval_metric": "top1",
}
_READ = frozenset({*_DEFAULTS, "lr_decay_fn", "lr_stable_timescale"})


def section_of(data: Mapping[str, Any], unread: tuple[Unread, ...]) -> Section:
    """Return the one scheduler of a recipe.

    Args:
        data: The recipe.
        unread: What else may move the lr.
    """
    place = place_of(data, "sched") or place_of(data, next(iter(data)))
    made = Written(kind=FACTORY, raw=data, place=place, library=TimmScheduler())
    return Section(shared=(made,), unread=unread)


def timm_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that the scheduler reads, with the defaults of those left out."""
    read = {name: value for name, value in as_parsed(data).items() if name in _READ}
    return {**_DEFAULTS, **read}


class TimmScheduler(LibraryScheduler):
    """What timm's factory of schedulers makes."""

    counts_epochs = True

    def arguments(self, raw: Mapping[str, Any], training: Training) -> dict[str, Any]:
        asked = training.asked_for
        return timm_arguments(raw) | ({} if asked is None else {"epochs": asked})

    def name(self, arguments: Mapping[str, Any]) -> str:
        return f"timm {arguments['sched']}"

    def by_epoch(self, arguments: Mapping[str, Any]) -> bool:
        return not arguments["sched_on_updates"]

    def make(self, arguments: Mapping[str, Any], optimizer: Any, training: Training) -> Any:
        from optplan.dialects.timm.run_scheduler import timm_scheduler

        return timm_scheduler(arguments, optimizer, training.per_epoch)[0]

    def zero_start(self, arguments: Mapping[str, Any]) -> str | None:
        is_zero = arguments["warmup_epochs"] and arguments["warmup_lr"] == 0
        return "warmup_lr" if is_zero else None
