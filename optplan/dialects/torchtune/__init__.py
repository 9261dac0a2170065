"""torchtune's recipes: classes by ``_component_``, of which those of the optimizer and the scheduler are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optplan.config.placed import place_of
from optplan.config.recognition import Recognition
from optplan.dialects.interpolations import resolved
from optplan.dialects.named_classes import arguments_of, one_class, section_at, torch_scheduler
from optplan.dialects.pattern_dialect import GroupsDialect
from optplan.dialects.protocol import Entries, Source, entries_of
from optplan.errors import ConfigError, UsageError
from optplan.schedule.type_names import is_torch

if TYPE_CHECKING:
    from optplan.config import Config
    from optplan.config.regex_groups import RegexGroups
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

COMPONENT = "_component_"
_SCHEDULER = "lr_scheduler"
_MODELS = ("model", "policy_model")
_OTHERS = ("checkpointer", "dataset", "loss", "metric_logger", "profiler", "tokenizer")


class Torchtune(GroupsDialect):
    """The recipes of torchtune, which give the optimizer all parameters, frozen ones too."""

    name = "torchtune"
    title = "torchtune"

    def recognize(self, data: Entries) -> Recognition | None:
        names = [one for one in ("optimizer", *_MODELS, *_OTHERS) if _has_component(data.get(one))]
        if len(names) < 2 or "optimizer" not in names:
            return None
        return self.recognized(*(f"{one}.{COMPONENT}" for one in names))

    def settable(self) -> frozenset[str]:
        return frozenset({"optimizer", _SCHEDULER, "epochs", "max_steps_per_epoch", *_MODELS})

    def regex_groups(self, config: Source) -> RegexGroups:
        section = resolved(entries_of(config), "optimizer")
        arguments = arguments_of(section, (COMPONENT,))
        place = place_of(section, COMPONENT)
        return one_class(self.title, section[COMPONENT], arguments, place, takes_frozen=True)

    def model(self, config: Config) -> Any:
        name = next((one for one in _MODELS if _has_component(config.data.get(one))), None)
        if name is None:
            return None
        section = config.data[name]
        module, _, function = section[COMPONENT].rpartition(".")
        is_adapted = "lora" in function or "dora" in function
        also = (
            "; the recipe freezes all but its adapter, and the function does not"
            if is_adapted
            else ""
        )
        raise ConfigError(
            "the model is made by a function, which a config must not call",
            place=place_of(section, COMPONENT),
            hint=f"name it yourself: --model {module}:{function}{also}",
        )

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.torchtune.schedule import is_known, section_of
        from optplan.schedule import Section

        section = data.get(_SCHEDULER)
        if not _has_component(section):
            return Section(unread=self.unread(data))
        section = resolved(data, _SCHEDULER)
        kind, arguments = section[COMPONENT], arguments_of(section, (COMPONENT,))
        if is_torch(kind):
            made = torch_scheduler(kind, section, arguments, COMPONENT, by_epoch=False)
            return Section(shared=(made,), unread=self.unread(data))
        if is_known(kind):
            return section_of(kind, arguments, place_of(section, COMPONENT), self.unread(data))
        return Section(unread=self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.dialects.torchtune.schedule import is_known
        from optplan.schedule.unread import find_unread

        kind = section_at(data, f"{_SCHEDULER}.{COMPONENT}")
        is_read = isinstance(kind, str) and (is_torch(kind) or is_known(kind))
        return find_unread(data, read=(_SCHEDULER,) if is_read else (), is_read=True)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        names = (_SCHEDULER, "epochs", "max_steps_per_epoch")
        return {name: plain(config.data[name]) for name in names if name in config.data}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        if data.get("epochs") is None:
            raise UsageError(
                "how long is the training? the recipe has no epochs",
                hint="give --epochs N or --iters N",
            )
        if data.get("max_steps_per_epoch") is not None:
            most = count_in(data, "max_steps_per_epoch")
            per_epoch = most if per_epoch is None else min(most, per_epoch)
        return Training(by_epoch=True, length=count_in(data, "epochs"), per_epoch=per_epoch)


def _has_component(section: Any) -> bool:
    return isinstance(section, Mapping) and isinstance(section.get(COMPONENT), str)
