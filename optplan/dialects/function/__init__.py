"""Functions in the place of a config: ``X.py:attr`` and ``package.module:attr``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from optplan.config.recognition import Recognition
from optplan.dialects.code_dialect import CodeDialect
from optplan.dialects.function.load import (
    FunctionConfig,
    load_function,
    names_function,
    section_of,
    told_length,
    word_meant,
)
from optplan.dialects.opener import Opener
from optplan.dialects.protocol import BuildRequest, Entries, Source

if TYPE_CHECKING:
    from torch import nn

    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.dialects.attachments import Attachments
    from optplan.errors import ConfigError
    from optplan.schedule import Training


class Function(CodeDialect, Opener):
    """Functions that take the model and make groups or optimizers; what they do is seen by running them."""

    name = "function"
    title = "a function"

    def recognize(self, data: Entries) -> Recognition | None:
        return None

    def opens(self, word: str) -> bool:
        return names_function(word)

    def open(self, word: str, *, overrides: Sequence[str], arguments: Entries) -> Config:
        return load_function(word, overrides=overrides, arguments=arguments)

    def meant(self, word: str) -> ConfigError | None:
        return word_meant(word)

    def read(self, config: Source) -> OptimizerConfig:
        assert isinstance(config, FunctionConfig)
        return section_of(config)

    def remedy(self, in_paramwise: str) -> str | None:
        return "put them into a group with weight_decay 0"

    def with_length(
        self, config: Config, *, epochs: int | None, iters: int | None, per_epoch: int | None
    ) -> Config:
        assert isinstance(config, FunctionConfig)
        return told_length(config, epochs, iters, per_epoch)

    def told_training(self, config: Config) -> Training | None:
        assert isinstance(config, FunctionConfig)
        return None if config.length is None else config.length.training()

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.dialects.function.build import FunctionBuilder
        from optplan.dialects.function.run import FunctionRun

        config = request.config
        assert isinstance(config, FunctionConfig)
        run = FunctionRun(config, request.folder, request.batch.world_size)
        return FunctionBuilder(config.name, run, section)

    def attachments(self, config: Config, module: nn.Module, world_size: int | None) -> Attachments:
        from optplan.dialects.function.attached_schedulers import attachments_of

        assert isinstance(config, FunctionConfig)
        return attachments_of(config, module, world_size)
