"""Hydra's files: classes by ``_target_``, of which only that of the optimizer, schedulers and model is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from optplan.config.placed import place_of, placed_dict
from optplan.config.recognition import Recognition
from optplan.dialects.hydra.compose import composed, has_defaults
from optplan.dialects.interpolations import resolved
from optplan.dialects.named_classes import arguments_of, one_class, section_at, torch_scheduler
from optplan.dialects.pattern_dialect import GroupsDialect
from optplan.dialects.protocol import Entries, Source, entries_of
from optplan.errors import ConfigError, UsageError, listed
from optplan.schedule.type_names import is_torch

if TYPE_CHECKING:
    from optplan.config import Config
    from optplan.config.regex_groups import RegexGroups
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

_TARGET = "_target_"
_NO_ARGUMENTS = (_TARGET, "_partial_", "_convert_", "_recursive_", "_args_")
_OPTIMIZERS = ("optimizer", "optim")
_SCHEDULERS = ("lr_scheduler", "scheduler")
_DEEPEST = 3


class Hydra(GroupsDialect):
    """Files with a ``_target_`` for the optimizer, composed ones among them."""

    name = "hydra"
    title = "Hydra"

    def recognize(self, data: Entries) -> Recognition | None:
        if has_defaults(data) and not any(_is_own_section(data.get(one)) for one in _OPTIMIZERS):
            return self.recognized("defaults")
        found = _paths(data, _OPTIMIZERS)
        return (
            self.recognized(*(f"{one}.{_TARGET}" if one else _TARGET for one in found))
            if found
            else None
        )

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        try:  # one of a folder may be a part that another one composes, and gives its values
            return not [resolved(data, one) for one in _paths(data, _OPTIMIZERS)]
        except ConfigError:
            return True

    def settable(self) -> frozenset[str]:
        names = ("model", "trainer", *_OPTIMIZERS, *_SCHEDULERS)
        return frozenset({"hydra.", *names, *(f"{name}." for name in names)})

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def regex_groups(self, config: Source) -> RegexGroups:
        data = _whole(config)
        paths = _paths(data, _OPTIMIZERS)
        if len(paths) != 1:
            what = f"several: {listed(paths)}" if paths else "none"
            raise ConfigError(
                f"one optimizer with a {_TARGET} is planned for, and the config has {what}",
                place=place_of(data, next(iter(data))),
            )
        section = resolved(data, paths[0])
        self._refuse_groups(section)
        arguments = arguments_of(section, _NO_ARGUMENTS)
        place = place_of(section, _TARGET)
        return one_class(self.title, str(section[_TARGET]), arguments, place)

    def _refuse_groups(self, section: Entries) -> None:
        for name in ("params", "_args_"):
            if section.get(name) is not None:
                raise ConfigError(
                    f"{name!r} of the optimizer is not read: parameters come from the code that calls Hydra",
                    place=place_of(section, name),
                    hint="name the function that makes the optimizer: FILE.py:FUNCTION",
                )

    def model(self, config: Config) -> Any:
        data = _whole(config)
        path = "net" if _has_target(data.get("net")) else "model"
        path = "model.net" if _has_target(section_at(data, "model.net")) else path
        if not _has_target(section_at(data, path)):
            return None
        section = resolved(data, path)
        arguments = {name: value for name, value in section.items() if name not in _NO_ARGUMENTS}
        if any(map(_holds_target, arguments.values())):
            return None  # parts of it are to be called as well: the user names the model
        places = dict(getattr(section, "raw_places", {}))
        places["type"] = places.get(_TARGET)
        return placed_dict({**arguments, "type": section[_TARGET]}.items(), places)

    def schedulers(self, data: Entries) -> Section:
        from optplan.schedule import Section

        data = composed(data)
        paths = _paths(data, _SCHEDULERS)
        sections = [resolved(data, one) for one in paths]
        read = tuple(
            torch_scheduler(str(one[_TARGET]), one, arguments_of(one, _NO_ARGUMENTS), _TARGET)
            for one in sections
            if is_torch(str(one[_TARGET]))
        )
        return Section(shared=read, unread=self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import Unread, find_unread

        data = composed(data)
        others = [
            Unread(name=f"{path} {kind}", place=place_of(section_at(data, path), _TARGET))
            for path in _paths(data, _SCHEDULERS)
            if not is_torch(kind := str(section_at(data, path)[_TARGET]))
        ]
        return (*find_unread(data, read=_SCHEDULERS, is_read=True), *others)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        data = _whole(config)
        found: dict[str, Any] = {
            one: plain(section_at(data, one)) for one in _paths(data, _SCHEDULERS)
        }
        return {**found, "trainer": plain(data.get("trainer") or {})}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        data = composed(data)
        for name, by_epoch in (("max_epochs", True), ("max_steps", False)):
            length = resolved(data, f"trainer.{name}")
            if length not in (None, -1):
                length = count_in({name: length}, name)
                return Training(by_epoch=by_epoch, length=length, per_epoch=per_epoch)
        raise UsageError(
            "how long is the training? the config has no trainer.max_epochs",
            hint="give --epochs N or --iters N",
        )


def _whole(config: Source) -> Entries:
    return composed(entries_of(config))


def _has_target(section: Any) -> bool:
    return isinstance(section, Mapping) and isinstance(section.get(_TARGET), str)


def _is_own_section(section: Any) -> bool:
    """Return whether a section is an optimizer of another trainer, such as one with a type or a name."""
    return isinstance(section, Mapping) and not {"type", "name", "_name"}.isdisjoint(section)


def _holds_target(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _has_target(value) or any(map(_holds_target, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_target, value))


def _paths(data: Entries, names: tuple[str, ...]) -> list[str]:
    """Return where sections of these names with a ``_target_`` stand; '' for a file that is one itself."""
    is_itself = _has_target(data) and ".optim." in f".{data[_TARGET]}" and "lr" in data
    if names is _OPTIMIZERS and is_itself:
        return [""]
    return list(_below(data, names, "", 1))


def _below(data: Entries, names: tuple[str, ...], above: str, depth: int) -> Iterator[str]:
    for name, value in data.items():
        path = f"{above}{name}"
        if name in names and _has_target(value):
            yield path
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _below(value, names, f"{path}.", depth + 1)
