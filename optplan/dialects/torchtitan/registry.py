"""Entries of torchtitan's Python registry: ``torchtitan:llama3.llama3_8b`` in the place of a config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.config.loading import Config
from optplan.config.optimizer import NO_SECTION
from optplan.config.placed import placed_dict
from optplan.config.recognition import Recognition
from optplan.dialects.code_dialect import CodeDialect
from optplan.dialects.opener import Opener
from optplan.dialects.protocol import BuildRequest, Entries, Source
from optplan.errors import ConfigError, UsageError
from optplan.model.torchtitan_models import PREFIX, entry_config
from optplan.places import Source as File

if TYPE_CHECKING:
    from torch import nn

    from optplan.config import OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.dialects.attachments import Attachments
    from optplan.schedule import Training

# What the command line may set: nothing that the model is made by.
_SETTABLE = ("optimizer.", "lr_scheduler.", "training.steps=")


@dataclass(frozen=True, kw_only=True, eq=False)
class EntryConfig(Config):
    """An entry in the place of a config.

    Args:
        training: The library's own config.
        steps: How many steps the training has; None for the entry's.
    """

    training: Any
    steps: int | None = None


class TorchtitanRegistry(CodeDialect, Opener):
    """The entries of torchtitan's registry, of which its own containers make optimizers and schedulers."""

    name = "torchtitan registry"
    title = "torchtitan's registry"

    def recognize(self, data: Entries) -> Recognition | None:
        return None

    def opens(self, word: str) -> bool:
        return word.startswith(PREFIX)

    def open(self, word: str, *, overrides: Sequence[str], arguments: Entries) -> Config:
        if other := next((one for one in overrides if not one.startswith(_SETTABLE)), None):
            raise ConfigError(
                f"--set {other}: of an entry only optimizer, lr_scheduler and training.steps can be set",
                hint="write an entry of your own for what changes the model",
            )
        if arguments:
            raise ConfigError(f"-a gives arguments to a function, and {word!r} is none")
        source = File(name=word, path=word)
        return EntryConfig(
            data=placed_dict((), {}),
            entry=source,
            sources=(source,),
            trusted=True,
            word=word,
            dialect=self.name,
            model_word=word,
            training=entry_config(word, overrides),
        )

    def read(self, config: Source) -> OptimizerConfig:
        assert isinstance(config, EntryConfig)
        return replace(NO_SECTION, has_paramwise=False, recipe=config.training)

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        return Training(by_epoch=False, length=count_in(data, "steps"), per_epoch=per_epoch)

    def with_length(
        self, config: Config, *, epochs: int | None, iters: int | None, per_epoch: int | None
    ) -> Config:
        assert isinstance(config, EntryConfig)
        if epochs is not None and per_epoch is None:
            raise UsageError(
                "torchtitan counts steps: how many has an epoch?",
                hint="give --iters N, or --iters-per-epoch N beside --epochs",
            )
        told = epochs * per_epoch if epochs is not None and per_epoch is not None else iters
        steps = told or config.training.training.steps
        return replace(config, steps=told, data=placed_dict({"steps": steps}.items(), {}))

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.library_builder import LibraryBuilder
        from optplan.dialects.torchtitan.build import optimizers_of

        made = partial(optimizers_of, section.recipe)
        return LibraryBuilder("torchtitan's OptimizersContainer", section, made, None)

    def attachments(self, config: Config, module: nn.Module, world_size: int | None) -> Attachments:
        from optplan.dialects.torchtitan.build import attachments_of

        assert isinstance(config, EntryConfig)
        return attachments_of(config.training, module, config.steps)
