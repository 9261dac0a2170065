"""Files of LightningCLI: the library's own classes make the module, its optimizer and its schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from optplan.config.loading import Config
from optplan.config.optimizer import NO_SECTION, section_of_recipe
from optplan.config.placed import place_of, placed_dict
from optplan.config.recognition import Recognition
from optplan.dialects.code_dialect import CodeDialect
from optplan.dialects.function.cli_arguments import (
    known_arguments,
    named_classes,
    trainer_arguments,
)
from optplan.dialects.function.lightning_module import METHOD, VALUES, CliFunction
from optplan.dialects.function.load import FunctionConfig
from optplan.dialects.function.trainer_length import TrainerLength, told_trainer, trainer_length
from optplan.dialects.protocol import (
    BuildRequest,
    Entries,
    Source,
    UnknownEntry,
    entries_of,
    resembles,
)
from optplan.errors import ConfigError, UsageError, did_you_mean, listed

if TYPE_CHECKING:
    from torch import nn

    from optplan.config import OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.dialects.attachments import Attachments
    from optplan.schedule import Training
    from optplan.schedule.unread import Unread

_CLASS = "class_path"
_SUBCOMMANDS = ("fit", "validate", "test", "predict")
_TOP = frozenset(
    {
        "seed_everything",
        "trainer",
        "model",
        "data",
        "optimizer",
        "lr_scheduler",
        "ckpt_path",
        "config",
    }
    | {"weights_only", "return_predictions", "verbose", *_SUBCOMMANDS}
)


class LightningCli(CodeDialect):
    """Files whose model, optimizer or data has a ``class_path``."""

    name = "lightning"
    title = "LightningCLI"

    def recognize(self, data: Entries) -> Recognition | None:
        parts = parts_of(data)
        named = [name for name in ("model", "optimizer", "data") if _has_class(parts.get(name))]
        if not named or not parts.keys() & {"model", "trainer", "seed_everything"}:
            return None
        return self.recognized(*named)

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        return True

    def settable(self) -> frozenset[str]:
        return _TOP

    def flat_entries(self) -> frozenset[str]:
        return _TOP

    def unknown_entry(self, name: str) -> UnknownEntry | None:
        text = "is none of LightningCLI's own: it refuses it, unless the script adds an argument of that name"
        return UnknownEntry(text, is_mistake=resembles(name, _TOP))

    def nested_entries(self, data: Entries) -> Mapping[str, tuple[Entries, frozenset[str], str]]:
        trainer = trainer_of(data)
        sections = {
            name: (arguments, known, f"is no argument of {kind}, and LightningCLI refuses it")
            for name, kind, arguments in named_classes(parts_of(data))
            if (known := known_arguments(kind, name, place_of(arguments, next(iter(arguments)))))
        }
        if trainer and (known := trainer_arguments()):
            text = "is no argument of Lightning's Trainer, which refuses it"
            sections["trainer"] = trainer, known, text
        return sections

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def read(self, config: Source) -> OptimizerConfig:
        section = parts_of(entries_of(config)).get("optimizer")
        if section is None:
            return replace(NO_SECTION, has_paramwise=False)
        if not _has_class(section):
            raise ConfigError(
                "the optimizer has no class_path",
                place=place_of(parts_of(entries_of(config)), "optimizer"),
                hint="write class_path: torch.optim.AdamW, and its arguments below init_args",
            )
        arguments = section.get("init_args") or {}
        return section_of_recipe(
            None,
            kind=str(section[_CLASS]).removeprefix("torch.optim."),
            arguments=arguments,
            place=place_of(section, _CLASS),
            written=arguments,
        )

    def model(self, config: Config) -> Any:
        section: Any = parts_of(config.data).get("model")
        if not _has_class(section):
            return None
        places = dict(getattr(section, "raw_places", {}))
        places["type"] = places.get(_CLASS)
        return placed_dict({**section, "type": section[_CLASS]}.items(), places)

    def model_arguments(self, config: Config) -> Mapping[str, Any]:
        section = parts_of(config.data).get("model")
        if not isinstance(section, Mapping):
            return {}
        return section.get("init_args") or {} if _has_class(section) else section

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.dialects.function.unread_trainer import unread_of_trainer
        from optplan.schedule.unread import find_unread

        trainer = trainer_of(data)
        return (
            *unread_of_trainer(trainer),
            *find_unread(data, read=("lr_scheduler",), is_read=True),
        )

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        from optplan.config.trees import plain

        parts = parts_of(config.data)
        found: dict[str, Any] = plain(
            {n: parts[n] for n in ("lr_scheduler", "trainer") if n in parts}
        )
        return {"trainer": self.name, **found}

    def with_length(
        self, config: Config, *, epochs: int | None, iters: int | None, per_epoch: int | None
    ) -> Config:
        found = _told(config)
        batches = found.answers.get("num_training_batches", per_epoch)
        trainer = trainer_of(config.data)
        length = told_trainer(trainer, batches, epochs=epochs, iters=iters)
        return replace(found, length=length or trainer_length(trainer, batches))

    def with_answers(self, config: Config, arguments: Entries) -> Config:
        for name in arguments:
            if name not in VALUES:
                raise UsageError(
                    f"-a {name}: no module is told that by its trainer",
                    hint=did_you_mean(name, VALUES) or f"it is told {listed(VALUES)}",
                )
        return replace(_told(config), answers=arguments)

    def told_training(self, config: Config) -> Training | None:
        length = _told(config).length
        return None if length is None else length.training()

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.dialects.function.build import FunctionBuilder
        from optplan.dialects.function.run import FunctionRun

        config = _as_function(request.config)
        run = FunctionRun(config, request.folder, request.batch.world_size)
        return FunctionBuilder(config.name, run, section)

    def attachments(self, config: Config, module: nn.Module, world_size: int | None) -> Attachments:
        from optplan.dialects.function.attached_schedulers import attachments_of

        return attachments_of(_as_function(config), module, world_size)


@dataclass(frozen=True, kw_only=True, eq=False)
class CliFile(Config):
    """A file of LightningCLI with what the command line says of its trainer.

    Args:
        answers: What a module that asks its trainer is answered.
        length: What the trainer says of its length; None where the file alone tells.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    length: TrainerLength | None = None


def _told(config: Config) -> CliFile:
    if isinstance(config, CliFile):
        return config
    return CliFile(**{one.name: getattr(config, one.name) for one in fields(config)})


@dataclass(frozen=True, kw_only=True, eq=False)
class CliConfig(FunctionConfig):
    """What LightningCLI makes of a file and a module, as a function."""

    def importable(self) -> AbstractContextManager[None]:
        return nullcontext()


def _as_function(source: Source) -> CliConfig:
    assert isinstance(source, Config)
    told = _told(source)
    parts = parts_of(source.data)
    configured = {name: parts[name] for name in ("optimizer", "lr_scheduler") if parts.get(name)}
    trainer = trainer_of(source.data)
    length = told.length or trainer_length(trainer, told.answers.get("num_training_batches"))
    values = {**length.answers(), **told.answers}
    if trainer.get("num_nodes") is not None:
        values = {"num_nodes": trainer["num_nodes"], **values}
    who = "LightningCLI" if "optimizer" in configured else "the module"
    return CliConfig(
        data=placed_dict((), {}),
        entry=source.entry,
        sources=source.sources,
        trusted=source.trusted,
        function=CliFunction(configured, source.entry.name, trusted=source.trusted),
        name=f"{who}.{METHOD}",
        is_users=source.trusted,
        arguments=values,
        place=place_of(parts, "optimizer" if "optimizer" in configured else "model"),
    )


def parts_of(data: Entries) -> Entries:
    """Return the entries of a file, which may stand below the command that they are for (``fit``)."""
    below = next((data[name] for name in _SUBCOMMANDS if isinstance(data.get(name), Mapping)), None)
    return (
        data if below is None else {**data, **below} if data.keys() - set(_SUBCOMMANDS) else below
    )


def _has_class(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get(_CLASS), str)


def trainer_of(data: Entries) -> Entries:
    """Return the arguments of a file's trainer."""
    found = parts_of(data).get("trainer")
    return found if isinstance(found, Mapping) else {}
