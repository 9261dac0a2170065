"""Declare what a dialect answers: recognize, read, schedule, model, build. Only the last may import torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, ClassVar

from optplan.config.loading import Config
from optplan.config.recognition import Recognition
from optplan.errors import ConfigError, Problem

if TYPE_CHECKING:
    from optplan.config import Batch, OptimizerConfig, Scaling
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

Entries = Mapping[str, Any]
Source = Config | Entries


def entries_of(source: Source) -> Entries:
    """Return the top level of a config."""
    return source.data if isinstance(source, Config) else source


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What is known of a config where its optimizers are made.

    Args:
        config: The config.
        folder: The config's folder; None where there is none.
        batch: What is known of the batch.
        scaling: How the lr depends on the batch; None where it does not.
    """

    config: Source
    folder: str | None
    batch: Batch
    scaling: Scaling | None


# So close that it is no other argument of the script.
_SAME_WORD = 0.85


def resembles(name: str, known: Collection[str]) -> bool:
    """Return whether a name is nearly one of these, so that it was meant as that one."""
    return any(SequenceMatcher(None, name, one).ratio() >= _SAME_WORD for one in known)


@dataclass(frozen=True, slots=True)
class UnknownEntry:
    """What to say of an entry that a trainer does not read.

    Args:
        text: What follows its name.
        is_mistake: It was meant for the trainer; else it may be another program's.
    """

    text: str
    is_mistake: bool = True


class Dialect(ABC):
    """One way to write a training down. Every part but the abstract ones has a default.

    Attributes:
        name: Its name, that of its folder.
        title: What reports call it.
        has_paramwise: Its optimizer section has the form of MMEngine's, with ``paramwise_cfg``.
        has_wrapper: That section may stand in ``optim_wrapper``.
        outdated: Top-level entries that an older generation of the trainer read, and this one does not.
        names_rules: Reports name the rules that hold, since files of another trainer look the same.
        names_mmcv1: Names are those of mmcv 1.x, which knows no scope.
        default_scheduler: The scheduler that the trainer has without any entry, in words; it is not read.
        keeps_scheduler_states: Checkpoints keep states of the schedulers.
        applies_scaling: What ``build`` returns has scaled the lr by the batch itself.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    has_paramwise: ClassVar[bool] = False
    has_wrapper: ClassVar[bool] = False
    outdated: ClassVar[tuple[str, ...]] = ()
    names_rules: ClassVar[bool] = False
    names_mmcv1: ClassVar[bool] = False
    default_scheduler: ClassVar[str | None] = None
    keeps_scheduler_states: ClassVar[bool] = True
    applies_scaling: ClassVar[bool] = False

    # recognize

    @abstractmethod
    def recognize(self, data: Entries) -> Recognition | None:
        """Return why a config is of this dialect; None where it is not. Nothing is imported for it."""

    def recognized(self, *because: str) -> Recognition:
        """Return the recognition by these entries."""
        return Recognition(dialect=self.name, title=self.title, because=because)

    def meant(self, word: str) -> ConfigError | None:
        """Return what to say of a word that is no config, where one may be meant that this dialect opens."""
        return None

    def defines_optimizer(self, data: Entries) -> bool:
        """Return whether a config of a folder is one to check, and no part of others."""
        return True

    def passes_over(self, data: Entries) -> str | None:
        """Return what a file is that is recognized and not read, so that a folder's check passes over it."""
        return None

    def seems(self, path: str) -> str | None:
        """Return what a file seems to be by its text alone; None where that does not tell. Nothing is run."""
        return None

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        """Return whether a file of a folder may well be another program's that only looks the same."""
        return False

    # read

    def settable(self) -> frozenset[str]:
        """Return the top-level entries that ``--set`` may add, since somebody reads them."""
        return frozenset()

    def flat_entries(self) -> frozenset[str]:
        """Return the top-level entries that make up the optimizer where it has no section."""
        return frozenset()

    def unknown_entry(self, name: str) -> UnknownEntry | None:
        """Return what to say of a top-level entry that is none of the flat ones; None for nothing."""
        if not resembles(name, self.flat_entries()):
            return None
        return UnknownEntry("in the recipe does nothing: train.py takes it and never reads it")

    def nested_entries(self, data: Entries) -> Mapping[str, tuple[Entries, frozenset[str], str]]:
        """Return the sections whose entries are known: each with their names, and what to say of others."""
        return {}

    def section_names(self, config: Config) -> list[str]:
        """Return the top-level entries that make up the optimizer section.

        Raises:
            ConfigError: There are none.
        """
        flat = self.flat_entries()
        return [name for name in config.data if name in flat] if flat else ["optimizer"]

    @abstractmethod
    def read(self, config: Source) -> OptimizerConfig:
        """Return the optimizer section.

        Raises:
            ConfigError: Every mistake in it.
        """

    def named_sections(self, data: Entries) -> Mapping[str, Entries]:
        """Return the optimizer sections by name as they are written; nothing where there is one."""
        return {}

    def read_several(self, config: Source) -> Mapping[str, OptimizerConfig]:
        """Return the optimizer sections by name where there are several; nothing where there is one.

        Raises:
            ConfigError: Every mistake in them.
        """
        return {}

    def scaling(self, config: Source, batch: Batch) -> Scaling | None:
        """Return how the lr depends on the batch; None where it does not.

        Raises:
            ConfigError: The config says it wrongly, or ``--auto-scale-lr`` asks for what it does not have.
        """
        if batch.auto_scale_lr:
            raise ConfigError(
                "the lr cannot be scaled: the config has no auto_scale_lr",
                hint="leave --auto-scale-lr out",
            )
        return None

    def remedy(self, in_paramwise: str) -> str | None:
        """Return how single parameters get other values; None where that takes a change of the code.

        Args:
            in_paramwise: The same for ``paramwise_cfg``.
        """
        return None

    # model

    def model(self, config: Config) -> Any:
        """Return the config's own model as a section with its ``type``; anything else where there is none.

        Raises:
            ConfigError: The model cannot be planned for.
        """
        return config.data.get("model")

    def model_arguments(self, config: Config) -> Mapping[str, Any]:
        """Return what a config gives the model that the command line names."""
        return {}

    # schedule

    def schedulers(self, data: Entries) -> Section:
        """Return the schedulers.

        Raises:
            ScheduleError: Something else stands there.
        """
        from optplan.schedule import Section

        return Section(unread=self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        """Return what may move the lr and is not read."""
        from optplan.schedule.unread import Unread, find_unread

        found = find_unread(data)
        if self.default_scheduler is None or "lr_scheduler" in data:
            return found
        return (*found, Unread(name=self.default_scheduler))

    def misspelt_schedulers(self, data: Entries) -> Iterator[str]:
        """Yield the top-level names that were probably meant to be a section of schedulers."""
        from optplan.schedule.unread import misspelt_sections

        return misspelt_sections(data)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        """Return what a config says of schedulers and of its length as plain data; equal for equal ones."""
        return {}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        """Return how long the training is.

        Args:
            data: The config's top level.
            per_epoch: How many iterations one epoch has.

        Raises:
            UsageError: The config does not say.
            ScheduleError: What it says is wrong.
        """
        from optplan.schedule.training import NoLengthError

        raise NoLengthError("the config has no train_cfg")

    def decided_training(
        self, data: Entries, epochs: int | None, per_epoch: int | None
    ) -> Training | None:
        """Return how long a library's own scheduler has the training run; None where none decides that.

        This may import torch.

        Args:
            data: The config's top level.
            epochs: The epochs that the user asks for; None for the config's.
            per_epoch: How many iterations one epoch has.

        Raises:
            ScheduleError: The library refuses the scheduler.
        """
        return None

    def states_length(self, data: Entries) -> bool:
        """Return whether the config sets up a training, so that a wrong length is a mistake without schedulers."""
        return False

    def length_problems(self, data: Entries) -> Iterator[Problem]:
        """Yield what the trainer refuses of a length that can be read all the same."""
        return iter(())

    # build

    @abstractmethod
    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        """Return what makes the optimizers of a section. This may import torch.

        Raises:
            PlanError: What is to make them is not there.
        """
