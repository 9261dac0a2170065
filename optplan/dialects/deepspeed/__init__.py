"""DeepSpeed's JSON files: its engine makes the optimizer and the scheduler that they name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.config.placed import place_of
from optplan.config.recognition import Recognition
from optplan.dialects.named_classes import arguments_of
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section
    from optplan.schedule.unread import Unread

# What its files have at the top, beside the optimizer.
SIGNS = frozenset(
    {
        "amp", "bf16", "fp16", "gradient_accumulation_steps", "gradient_clipping", "prescale_gradients",
        "scheduler", "steps_per_print", "train_batch_size", "train_micro_batch_size_per_gpu",
        "wall_clock_breakdown", "zero_allow_untested_optimizer", "zero_optimization",
    }
)  # fmt: skip


class DeepSpeed(Dialect):
    """Files of DeepSpeed with an optimizer."""

    name = "deepspeed"
    title = "DeepSpeed"

    def recognize(self, data: Entries) -> Recognition | None:
        section = data.get("optimizer")
        if not isinstance(section, Mapping) or not isinstance(section.get("type"), str):
            return None
        signs = sorted(SIGNS & data.keys())
        if not signs or section.keys() - {"type", "params", "legacy_fusion"}:
            return None
        return self.recognized("optimizer.params", *signs) if "params" in section else None

    def settable(self) -> frozenset[str]:
        return SIGNS | {"optimizer"}

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.optimizer import section_of_recipe
        from optplan.dialects.deepspeed.schedule import refuse_auto

        data = entries_of(config)
        section = data["optimizer"]
        params = section["params"]
        if not isinstance(params, Mapping):
            raise ConfigError(
                "the optimizer's params must be a dict", place=place_of(section, "params")
            )
        refuse_auto(params, "optimizer.params", ConfigError)
        return section_of_recipe(
            data,
            kind=str(section["type"]),
            arguments=arguments_of(params, ()),
            place=place_of(section, "type"),
            written=params,
        )

    def model(self, config: Config) -> Any:
        return None

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.deepspeed.schedule import section_of

        return section_of(data, self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import find_unread

        return find_unread(data, read=("scheduler",), is_read=True)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        return {"trainer": self.name, "scheduler": plain(config.data.get("scheduler"))}

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.library_builder import LibraryBuilder
        from optplan.dialects.deepspeed.build import optimizers_of

        made = partial(optimizers_of, section.recipe)
        return LibraryBuilder("DeepSpeed's engine", section, made, section.places["type"])
