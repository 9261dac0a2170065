"""Dialects whose configs are code: what these make, schedulers too, is known by running them alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from optplan.dialects.protocol import Dialect, Entries

if TYPE_CHECKING:
    from torch import nn

    from optplan.config import Config
    from optplan.dialects.attachments import Attachments
    from optplan.schedule import Training


class CodeDialect(Dialect):
    """A dialect whose configs are run."""

    @abstractmethod
    def attachments(self, config: Config, module: nn.Module, world_size: int | None) -> Attachments:
        """Run a config on a model, which is left as it is. This imports torch.

        Args:
            config: The config.
            module: The model.
            world_size: The number of processes; None where it is not known.

        Raises:
            PlanError: It raises, or makes no optimizer.
        """

    def with_length(
        self, config: Config, *, epochs: int | None, iters: int | None, per_epoch: int | None
    ) -> Config:
        """Return a config that is told how long the training is, as far as it asks.

        Args:
            config: The config.
            epochs, iters, per_epoch: What the command line says.
        """
        return config

    def with_answers(self, config: Config, arguments: Entries) -> Config | None:
        """Return a config that is no function with what ``-a`` gives it; None where it takes nothing.

        Raises:
            UsageError: It takes nothing of such a name.
        """
        return None

    def told_training(self, config: Config) -> Training | None:
        """Return how long the config's own trainer trains; None where it has none. This imports torch.

        Args:
            config: What :meth:`with_length` has returned.

        Raises:
            OptplanError: The trainer refuses what is said, or that does not suffice.
        """
        return None
