"""The files of RT-DETR and D-FINE: ``optimizer`` with ``params``, a list of groups by regular expressions.

As read in their repositories: the pattern ``params`` is searched for in the name of each trainable parameter, and the
other entries of the group are its own values. A parameter that two patterns find is refused; what none finds gets the
optimizer's values. Files that ``__include__`` names lie below a file's own entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optplan.config.loader import INCLUDE
from optplan.config.placed import place_of
from optplan.config.recognition import Recognition
from optplan.dialects.named_classes import arguments_of, torch_scheduler
from optplan.dialects.pattern_dialect import GroupsDialect
from optplan.dialects.protocol import Entries, Source, entries_of
from optplan.dialects.rtdetr.includes import with_includes
from optplan.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:
    from optplan.config import Config
    from optplan.config.regex_groups import RegexGroup, RegexGroups
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

_EPOCHS = ("epoches", "epochs")
_SCHEDULER, _WARMUP = "lr_scheduler", "lr_warmup_scheduler"


class RtDetr(GroupsDialect):
    """The files of RT-DETR and D-FINE."""

    name = "rtdetr"
    title = "RT-DETR"

    def recognize(self, data: Entries) -> Recognition | None:
        included = data.get(INCLUDE)
        signs = [INCLUDE] if isinstance(included, list) and all(map(_is_file, included)) else []
        section = data.get("optimizer")
        if (
            isinstance(section, Mapping)
            and "type" in section
            and _has_patterns(section.get("params"))
        ):
            signs.append("optimizer.params")
        return self.recognized(*signs) if signs else None

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        try:  # a part of others has no optimizer
            return not isinstance(with_includes(data).get("optimizer"), Mapping)
        except ConfigError:
            return True

    def settable(self) -> frozenset[str]:
        return frozenset({"optimizer", "optimizer.", _SCHEDULER, f"{_SCHEDULER}.", *_EPOCHS})

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def regex_groups(self, config: Source) -> RegexGroups:
        from optplan.config.regex_groups import RegexGroups, RegexOptimizer
        from optplan.names import Matcher

        data = with_includes(entries_of(config))
        section = data.get("optimizer")
        if not isinstance(section, Mapping) or not isinstance(section.get("type"), str):
            raise ConfigError(
                "neither the config nor what it includes has an optimizer with a type",
                place=place_of(data, "optimizer") or place_of(data, INCLUDE),
            )
        problems: list[Problem] = []
        groups = _groups(section, problems)
        if problems:
            raise ConfigError(problems)
        arguments = arguments_of(section, ("type", "params"))
        place = place_of(section, "type")
        optimizer = RegexOptimizer(
            type=section["type"], place=place, arguments=arguments, written=arguments, names={}
        )
        return RegexGroups(
            dialect=self.title,
            entry="params",
            matcher=Matcher.SEARCH,
            groups=groups,
            optimizers=(optimizer,),
            place=place_of(section, "params") or place,
            keeps_empty=True,
            refuses_twice=True,
        )

    def remedy(self, in_paramwise: str) -> str | None:
        return "a group whose pattern matches them reaches them"

    def model(self, config: Config) -> Any:
        return None

    def schedulers(self, data: Entries) -> Section:
        from optplan.schedule import Section

        section = with_includes(data).get(_SCHEDULER)
        if not isinstance(section, Mapping) or not isinstance(section.get("type"), str):
            return Section(unread=self.unread(data))
        made = torch_scheduler(section["type"], section, arguments_of(section, ("type",)), "type")
        return Section(shared=(made,), unread=self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import Unread, find_unread

        whole = with_includes(data)
        warmup = (_WARMUP,) if whole.get(_WARMUP) is not None else ()
        found = find_unread(whole, read=(_SCHEDULER, _WARMUP), is_read=True)
        return (*found, *(Unread(name=one, place=place_of(whole, one)) for one in warmup))

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        data = with_includes(config.data)
        names = (_SCHEDULER, _WARMUP, *_EPOCHS)
        return {name: plain(data[name]) for name in names if name in data}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        whole = with_includes(data)
        for name in _EPOCHS:
            if name in whole:
                return Training(by_epoch=True, length=count_in(whole, name), per_epoch=per_epoch)
        raise UsageError(
            "how long is the training? the config has no epoches", hint="give --epochs N"
        )


def _is_file(word: object) -> bool:
    return isinstance(word, str) and word.endswith((".yml", ".yaml"))


def _has_patterns(groups: object) -> bool:
    return isinstance(groups, list) and any(
        isinstance(one, Mapping) and isinstance(one.get("params"), str) for one in groups
    )


def _groups(section: Entries, problems: list[Problem]) -> tuple[RegexGroup, ...]:
    from optplan.config.fields import entries_of as groups_of
    from optplan.config.fields import pattern_of
    from optplan.config.regex_groups import RegexGroup

    found = groups_of(section, "params", problems) if "params" in section else []
    return tuple(
        RegexGroup(
            patterns=tuple(
                pattern_of(one.get("params"), place_of(one, "params") or place, problems)
            ),
            place=place,
            entries=(entries := arguments_of(one, ("params",))),
            places={name: place_of(one, name) for name in entries},
        )
        for one, place in found
    )
