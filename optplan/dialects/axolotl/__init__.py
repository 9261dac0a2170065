"""axolotl's YAML: its own trainer builder, with its mixins, makes the optimizer and the schedule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.config.placed import place_of
from optplan.config.recognition import Recognition
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

_SIGNS = frozenset(
    {
        "adapter", "dataset_prepared_path", "datasets", "evals_per_epoch", "micro_batch_size", "num_epochs",
        "pad_to_sequence_len", "sample_packing", "saves_per_epoch", "sequence_len", "val_set_size",
    }
)  # fmt: skip
_SCHEDULE = (
    "cosine_constant_lr_ratio", "cosine_min_lr_ratio", "jagged_restart_anneal_steps", "jagged_restart_steps",
    "jagged_restart_warmup_steps", "learning_rate", "lr_quadratic_warmup", "lr_scheduler", "lr_scheduler_kwargs",
    "max_steps", "optimizer", "warmup_ratio", "warmup_steps",
)  # fmt: skip
_OPTIMIZER = (
    "embedding_lr",
    "embedding_lr_scale",
    "loraplus_lr_ratio",
    "lr_groups",
    "optim_args",
    "weight_decay",
)


class Axolotl(Dialect):
    """The files of axolotl."""

    name = "axolotl"
    title = "axolotl"

    def recognize(self, data: Entries) -> Recognition | None:
        signs = sorted(_SIGNS & data.keys())
        if len(signs) < 3 or "base_model" not in data:
            return None
        return self.recognized("base_model", *signs)

    def settable(self) -> frozenset[str]:
        return _SIGNS.union(_SCHEDULE, _OPTIMIZER)

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.optimizer import section_of_recipe

        data = entries_of(config)
        names = {"lr": "learning_rate", "weight_decay": "weight_decay"}
        return section_of_recipe(
            data,
            kind=str(data.get("optimizer", "axolotl's default")),
            arguments={name: data[one] for name, one in names.items() if one in data},
            place=place_of(data, "optimizer") or place_of(data, "base_model"),
        )

    def model(self, config: Config) -> Any:
        return None

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.axolotl.schedule import AxolotlScheduler
        from optplan.schedule.written import library_section

        place = place_of(data, "lr_scheduler") or place_of(data, "base_model")
        kind = "axolotl.SchedulerMixin.create_scheduler"
        return library_section(kind, AxolotlScheduler(), data, place, self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import Unread

        plugins = data.get("plugins")
        if not plugins:
            return ()
        return (
            Unread(name="what the plugins do, which are not run", place=place_of(data, "plugins")),
        )

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        return {name: plain(config.data[name]) for name in _SCHEDULE if name in config.data}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import NoLengthError, Training, count_in

        if data.get("max_steps") is None:
            raise NoLengthError(
                "the file has no max_steps, and the data decides the updates of an epoch"
            )
        return Training(by_epoch=False, length=count_in(data, "max_steps"), per_epoch=per_epoch)

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.library_builder import LibraryBuilder
        from optplan.dialects.axolotl.build import optimizers_of

        made = partial(optimizers_of, section.recipe)
        return LibraryBuilder("axolotl's trainer", section, made, section.places["type"])
