"""Read how long OpenMMLab's runners train: MMEngine's ``train_cfg``, and the ``runner`` of mmcv 1.x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.config import place_of
from optplan.config.inherited import inherited_hint
from optplan.config.paramwise import described
from optplan.errors import Problem, ScheduleError, did_you_mean, quoted
from optplan.schedule.training import NoLengthError, Training, count_in

_LOOPS = {"EpochBasedTrainLoop": True, "IterBasedTrainLoop": False}
_LENGTHS = {True: "max_epochs", False: "max_iters"}
_TAKEN = ("type", "_scope_", "by_epoch", "val_begin", "val_interval", "dynamic_intervals")
_LOOPS_OF_MMCV1 = {"EpochBasedRunner": True, "IterBasedRunner": False}
_TOTALS = {True: "total_epochs", False: "total_iters"}


def sets_up_training(section: object) -> bool:
    """Return whether a ``train_cfg`` is MMEngine's, and sets up a training."""
    return isinstance(section, Mapping) and bool(
        section.keys() & {"by_epoch", "max_epochs", "max_iters"}
    )


def read_training(data: Mapping[str, Any], per_epoch: int | None) -> Training:
    """Return how long MMEngine trains, by ``train_cfg``.

    Args:
        data: The config's top level.
        per_epoch: How many iterations one epoch has.

    Raises:
        NoLengthError: There is no length.
        ScheduleError: ``train_cfg`` is wrong.
    """
    section = data.get("train_cfg")
    if section is None:
        raise NoLengthError("the config has no train_cfg")
    if not isinstance(section, Mapping):
        raise ScheduleError(
            f"train_cfg must be a dict, got {described(section)}", place=place_of(data, "train_cfg")
        )
    if problems := list(_mistakes(data, section)):
        raise ScheduleError(problems)
    by_epoch = _is_by_epoch(section)
    return Training(by_epoch=by_epoch, length=_length(data, section, by_epoch), per_epoch=per_epoch)


def _loop(section: Mapping[str, Any]) -> str:
    """Return the name of the loop that a ``train_cfg`` asks for, '' for none."""
    return str(section.get("type", "")).rpartition(".")[2]


def read_runner(data: Mapping[str, Any], per_epoch: int | None) -> Training:
    """Return how long mmcv 1.x trains: by its ``runner``, else by ``total_epochs`` or ``total_iters``.

    Args:
        data: The config's top level.
        per_epoch: How many iterations one epoch has.

    Raises:
        NoLengthError: There is no length.
        ScheduleError: It is wrong.
    """
    runner = data.get("runner")
    if runner is not None and not isinstance(runner, Mapping):
        raise ScheduleError(
            f"runner must be a dict, got {described(runner)}", place=place_of(data, "runner")
        )
    section, names = (data, _TOTALS) if runner is None else (runner, _LENGTHS)
    given = {flag: name for flag, name in names.items() if section.get(name) is not None}
    if len(given) == 2:
        raise ScheduleError(
            f"only one of {names[True]} and {names[False]} can be set",
            place=place_of(section, names[False]),
        )
    for by_epoch, name in given.items():
        if by_epoch is _LOOPS_OF_MMCV1.get(str(section.get("type")), by_epoch):
            length = count_in(section, name)
            return Training(by_epoch=by_epoch, length=length, per_epoch=per_epoch)
    if runner is None:
        raise NoLengthError("the config has no runner and no total_epochs")
    wanted = names[_LOOPS_OF_MMCV1.get(str(runner.get("type")), True)]
    raise ScheduleError(
        f"runner has no {wanted}",
        place=place_of(data, "runner"),
        hint="set it, or give --epochs N or --iters N",
    )


def _is_by_epoch(section: Mapping[str, Any]) -> bool:
    """Return whether a ``train_cfg`` counts epochs; a loop that is not known tells by its length."""
    named = _LOOPS.get(_loop(section))
    if named is None and "by_epoch" in section and "type" not in section:
        return bool(section["by_epoch"])
    return ("max_epochs" in section or "max_iters" not in section) if named is None else named


def refused_by_runner(data: Mapping[str, Any]) -> Problem | None:
    """Return why the reference's runner refuses a ``train_cfg`` whose length is plain all the same."""
    section = data.get("train_cfg")
    if not isinstance(section, Mapping) or ("type" in section) != ("by_epoch" in section):
        return None
    found = "both 'type' and" if "type" in section else "neither 'type' nor"
    return Problem(
        message=f"train_cfg has {found} 'by_epoch', which the runner refuses",
        place=place_of(data, "train_cfg"),
        hint="write by_epoch=True and max_epochs, or by_epoch=False and max_iters",
    )


def _mistakes(data: Mapping[str, Any], section: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what one of the reference's loops refuses."""
    if "type" in section and _loop(section) not in _LOOPS:
        return
    name, decider = _LENGTHS[_is_by_epoch(section)], "type" if "type" in section else "by_epoch"
    for other in map(str, section):
        if other not in (*_TAKEN, name):
            yield Problem(
                message=f"train_cfg takes no {quoted(other)} beside {name}",
                place=place_of(section, other),
                hint=inherited_hint(section, other, decider)
                or did_you_mean(other, (*_TAKEN, name)),
            )
    if section.get(name) is None:
        yield Problem(
            message=f"train_cfg has no {name}",
            place=place_of(data, "train_cfg"),
            hint="set it, or give --epochs N or --iters N",
        )


def _length(data: Mapping[str, Any], section: Mapping[str, Any], by_epoch: bool) -> int:
    """Return the length that a ``train_cfg`` states.

    Raises:
        NoLengthError: A loop of somebody's own states none.
        ScheduleError: It is no count.
    """
    name = _LENGTHS[by_epoch]
    if section.get(name) is None:
        raise NoLengthError(f"train_cfg ({place_of(data, 'train_cfg')}) has no {name}")
    return count_in(section, name)
