"""timm's recipes: the flat ``args.yaml`` that its ``train.py`` writes and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.recognition import Recognition
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config import Batch, Config, OptimizerConfig, Scaling
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

_SIGNS = frozenset({"lr", "lr_base", "weight_decay", "momentum", "layer_decay", "sched", "model"})
# Names of train.py's arguments besides; so many are not in another program's file by chance.
_MORE_SIGNS = frozenset({"sched", "warmup_epochs", "drop_path", "reprob", "aa", "model_kwargs"})
_MOST_CHANCE = 5


class Timm(Dialect):
    """The recipes of timm."""

    name = "timm"
    title = "timm's train.py"
    applies_scaling = True

    def recognize(self, data: Entries) -> Recognition | None:
        if "optim_wrapper" in data or "optimizer" in data:
            return None
        signs = sorted(_SIGNS & data.keys())
        has_name = isinstance(data.get("opt"), str)
        if len(signs) < (1 if has_name else 3):
            return None
        return self.recognized(*(["opt"] if has_name else []), *signs)

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        known = self.flat_entries() | _MORE_SIGNS
        return suffix == ".py" or len(known & data.keys()) < _MOST_CHANCE

    def settable(self) -> frozenset[str]:
        from optplan.dialects.timm.script_arguments import ARGUMENTS

        return ARGUMENTS | self.flat_entries()

    def flat_entries(self) -> frozenset[str]:
        from optplan.dialects.timm.arguments import OPTIMIZER_KEYS

        return OPTIMIZER_KEYS

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.optimizer import section_of_recipe
        from optplan.dialects.timm.arguments import read_timm_args

        args = read_timm_args(entries_of(config))
        return section_of_recipe(
            args,
            kind=f"timm:{args.factory['opt']}",
            arguments={k: v for k, v in args.factory.items() if k != "opt" and v is not None},
            place=args.place_of("opt"),
            written=args.written,
            layer_decay="layer_decay",
            applies_lr_scale=True,
        )

    def scaling(self, config: Source, batch: Batch) -> Scaling | None:
        from optplan.dialects.timm.arguments import read_timm_args
        from optplan.dialects.timm.batches import timm_scaling

        if batch.auto_scale_lr:
            raise ConfigError(
                "--auto-scale-lr is for configs with auto_scale_lr, and this is a recipe of timm"
            )
        return timm_scaling(read_timm_args(entries_of(config)), batch)

    def model(self, config: Config) -> Any:
        from optplan.dialects.timm.arguments import model_section, read_timm_args

        return model_section(read_timm_args(config.data))

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.timm.schedule import section_of

        return section_of(data, self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import find_unread

        return find_unread(data, is_read=True)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.dialects.timm.schedule import timm_arguments

        return timm_arguments(config.data)

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.dialects.timm.schedule import timm_arguments
        from optplan.schedule.training import Training, count_in

        length = count_in(timm_arguments(data), "epochs")
        return Training(by_epoch=True, length=length, per_epoch=per_epoch)

    def decided_training(
        self, data: Entries, epochs: int | None, per_epoch: int | None
    ) -> Training | None:
        from optplan.dialects.timm.run_scheduler import timm_epochs
        from optplan.dialects.timm.schedule import timm_arguments
        from optplan.schedule.training import Training

        arguments = timm_arguments(data) | ({"epochs": epochs} if epochs else {})
        found = timm_epochs(arguments, per_epoch)
        return Training(by_epoch=True, length=found, per_epoch=per_epoch, asked_for=epochs)

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.dialects.timm.build import TimmBuilder

        return TimmBuilder(section, section.recipe, request.scaling)
