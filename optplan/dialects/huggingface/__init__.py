"""Files of ``TrainingArguments``, the arguments of Hugging Face's ``Trainer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.recognition import Recognition
from optplan.dialects.protocol import (
    BuildRequest,
    Dialect,
    Entries,
    Source,
    UnknownEntry,
    entries_of,
)
from optplan.errors import UsageError

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread


class HuggingFace(Dialect):
    """The arguments of transformers' trainer, whose own code makes the optimizer and the schedule."""

    name = "huggingface"
    title = "transformers' Trainer"

    def recognize(self, data: Entries) -> Recognition | None:
        from optplan.dialects.huggingface.arguments import signs_of

        signs = signs_of(data)
        return self.recognized(*signs) if signs else None

    def settable(self) -> frozenset[str]:
        return self.flat_entries()

    def flat_entries(self) -> frozenset[str]:
        from optplan.dialects.huggingface.arguments import known_arguments

        return known_arguments()

    def unknown_entry(self, name: str) -> UnknownEntry | None:
        from optplan.dialects.huggingface.arguments import UNKNOWN, is_mistake

        return UnknownEntry(UNKNOWN, is_mistake(name))

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.optimizer import section_of_recipe
        from optplan.dialects.huggingface.arguments import read_training_arguments

        args = read_training_arguments(entries_of(config))
        names = {"lr": "learning_rate", "weight_decay": "weight_decay"}
        return section_of_recipe(
            args,
            kind=str(args.written.get("optim", "transformers.Trainer")),
            arguments={n: args.written[one] for n, one in names.items() if one in args.written},
            place=args.place_of("optim"),
        )

    def model(self, config: Config) -> Any:
        return None

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.huggingface.schedule import section_of

        return section_of(data, self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import find_unread

        return find_unread(data, read=("lr_scheduler_type",), is_read=True)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.dialects.huggingface.arguments import read_training_arguments

        return {"trainer": self.name, **read_training_arguments(config.data).schedule}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        if data.get("max_steps", -1) == -1:
            raise UsageError(
                "how long is the training? its arguments give epochs, and no max_steps",
                hint="give --iters-per-epoch N, the batches of an epoch, or --iters N",
            )
        length = count_in(data, "max_steps")
        return Training(by_epoch=False, length=length, per_epoch=per_epoch)

    def decided_training(
        self, data: Entries, epochs: int | None, per_epoch: int | None
    ) -> Training | None:
        from optplan.dialects.huggingface.arguments import read_training_arguments
        from optplan.dialects.huggingface.run_scheduler import trainer_training

        return trainer_training(read_training_arguments(data), epochs=epochs, per_epoch=per_epoch)

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.dialects.huggingface.build import TrainerBuilder

        return TrainerBuilder(section, section.recipe)
