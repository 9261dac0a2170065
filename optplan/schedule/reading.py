"""From a config's ``param_scheduler`` to schedulers, with every mistake at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optplan.config import Symbol, is_mmcv1, place_of
from optplan.config.paramwise import described
from optplan.config.timm_args import as_parsed, is_timm_args
from optplan.errors import Problem, ScheduleError, close_matches
from optplan.places import Place
from optplan.schedule.unread import HOOK_SECTIONS, SECTION, Unread, find_unread

# Stands for the type of the scheduler that the flat entries of timm's args.yaml describe.
# Arguments that hold schedulers themselves.
NESTED = "schedulers"
TIMM_FACTORY = "timm.scheduler.create_scheduler_v2"
# What train.py takes where a file says nothing. As read in the repository of timm 1.0.
_TIMM_DEFAULTS: Mapping[str, Any] = {
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
_TIMM_READ = frozenset({*_TIMM_DEFAULTS, "lr_decay_fn", "lr_stable_timescale"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One scheduler as it stands in the config: its type and its dict.

    Args:
        kind: Its type.
        raw: Its dict.
        place: Where it is written.
        hook: What it moves, where it is a policy of mmcv 1.x.
    """

    kind: str | Symbol | type
    raw: Mapping[str, Any]
    place: Place | None
    hook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The schedulers of a config.

    Args:
        shared: Those of every optimizer.
        own: Those of single optimizers, by their names; where there are any, nothing is shared.
        place: Where they are written.
        unread: What else may move the lr, and is not read.
    """

    shared: tuple[Written, ...] = ()
    own: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)
    place: Place | None = None
    unread: tuple[Unread, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no scheduler at all."""
        return not self.shared and not any(self.own.values())


def find_schedulers(data: Mapping[str, Any]) -> Section:
    """The schedulers of a config: one, a list, or either for each optimizer by its name.

    The entries of timm's ``args.yaml`` are one scheduler.

    Raises:
        ScheduleError: Something else stands there.
    """
    if is_mmcv1(data):
        return _of_mmcv1(data)
    found = data.get(SECTION)
    place, unread = place_of(data, SECTION), find_unread(data)
    if found is None:
        return Section(shared=_of_timm(data), place=place, unread=unread)
    if isinstance(found, Mapping) and found and "type" not in found and _holds_parts(found):
        own = {
            str(name): tuple(_listed(part, place_of(found, name))) for name, part in found.items()
        }
        return Section(own=own, place=place, unread=unread)
    return Section(shared=tuple(_listed(found, place)), place=place, unread=unread)


def scheduler_types(data: Mapping[str, Any]) -> list[object]:
    """Return the types of a config's schedulers; none where its section is wrong, which reading it says."""
    try:
        found = find_schedulers(data)
    except ScheduleError:
        return []
    written = [one for part in (found.shared, *found.own.values()) for one in part]
    inner = [part for one in written for part in _sequence(one.raw.get(NESTED))]
    types = [one.get("type") for one in inner if isinstance(one, Mapping)]
    return [*(one.kind for one in written), *types]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _of_mmcv1(data: Mapping[str, Any]) -> Section:
    """The policies of mmcv 1.x."""
    written = []
    for name, moved in HOOK_SECTIONS.items():
        raw = data.get(name)
        if raw is None:
            continue
        if not isinstance(raw, Mapping):
            raise ScheduleError(
                f"{name} must be a dict, got {described(raw)}", place=place_of(data, name)
            )
        policy, at = raw.get("policy"), place_of(raw, "policy") or place_of(data, name)
        if not isinstance(policy, str) or not policy:
            raise ScheduleError(
                [
                    Problem(
                        message=f"{name} has no 'policy'"
                        if policy is None
                        else f"the policy must be a name, got {described(policy)}",
                        place=at,
                        hint=_misspelt(raw, "policy") or "write policy='step'",
                    )
                ]
            )
        written.append(Written(kind=policy, raw=raw, place=at, hook=moved))
    place = next((one.place for one in written), None)
    return Section(shared=tuple(written), place=place, unread=find_unread(data))


def _misspelt(raw: Mapping[str, Any], wanted: str) -> str | None:
    """A hint to rename the entry that looks like what is missing."""
    near = close_matches(wanted, map(str, raw), most=1, cutoff=0.8)
    return f"rename {near[0]!r} to {wanted!r}" if near and wanted not in raw else None


def _of_timm(data: Mapping[str, Any]) -> tuple[Written, ...]:
    """The scheduler of timm's ``args.yaml``, where this is one."""
    if not is_timm_args(data):
        return ()
    place = place_of(data, "sched") or place_of(data, next(iter(data)))
    return (Written(kind=TIMM_FACTORY, raw=data, place=place),)


def timm_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of timm's ``args.yaml`` that its scheduler reads, with the defaults of those left out."""
    read = {name: value for name, value in as_parsed(data).items() if name in _TIMM_READ}
    return {**_TIMM_DEFAULTS, **read}


def _holds_parts(found: Mapping[str, Any]) -> bool:
    """Whether a dict without a type holds schedulers by the optimizers' names."""
    return all(isinstance(part, Mapping | list | tuple) for part in found.values())


def _listed(found: object, place: Place | None) -> Iterator[Written]:
    if isinstance(found, Mapping):
        yield _written(found, place)
    elif isinstance(found, Sequence) and not isinstance(found, str):
        for index, one in enumerate(found):
            yield _written(one, place_of(found, index) or place)
    else:
        raise ScheduleError(
            f"{SECTION} must be a dict or a list of dicts, got {described(found)}", place=place
        )


def _written(found: object, place: Place | None) -> Written:
    if not isinstance(found, Mapping):
        raise ScheduleError(f"a scheduler must be a dict, got {described(found)}", place=place)
    if "type" not in found:
        first = next((at for name in found if (at := place_of(found, name))), place)
        raise ScheduleError(
            [Problem(message="a scheduler has no 'type'", place=first, hint="write type='PolyLR'")]
        )
    kind, at = found["type"], place_of(found, "type") or place
    if not isinstance(kind, str | Symbol | type) or not kind:
        raise ScheduleError(f"a scheduler's type must be a name, got {described(kind)}", place=at)
    return Written(kind=kind, raw=found, place=at)
