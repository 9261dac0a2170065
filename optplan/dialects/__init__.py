"""Read each way to write a training down: a dialect is a folder, and a line in ``_REGISTRY``.

Turns a file into its sections, batch, schedulers, model and groups. What needs one of these asks the one dialect
that recognized the file. Dialects import the rooms below (schedule, constructors, config), and not each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from optplan.config.batch import NO_BATCH, Batch, Scaling, finite
from optplan.config.files.file_reader import DISK, Reader
from optplan.config.loading import Config
from optplan.config.loading import load_config as load_plain
from optplan.config.own_model import OwnModel, own_model
from optplan.config.recognition import Recognition, chosen_dialect
from optplan.dialects.code_dialect import CodeDialect
from optplan.dialects.opener import Opener
from optplan.dialects.protocol import Dialect, Entries, Source, entries_of
from optplan.errors import ConfigError, ScheduleError, UsageError

if TYPE_CHECKING:
    from optplan.config import OptimizerConfig
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

# The first that recognizes a file reads it; the last one reads what none recognizes.
_REGISTRY = (
    "torchtitan.registry:TorchtitanRegistry",
    "function:Function",
    "function.cli_files:LightningCli",
    "timm:Timm",
    "deepspeed:DeepSpeed",
    "rtdetr:RtDetr",
    "torchtune:Torchtune",
    "ultralytics:Ultralytics",
    "axolotl:Axolotl",
    "foreign:Foreign",
    "hydra:Hydra",
    "torchtitan:Torchtitan",
    "fairseq2:Fairseq2",
    "huggingface:HuggingFace",
    "mmengine:Mmcv1",
    "mmengine:MMEngine",
)


@cache
def dialects() -> tuple[Dialect, ...]:
    """Return all dialects, in the order in which they are asked."""
    found: list[Dialect] = []
    for entry in _REGISTRY:
        module, _, name = entry.partition(":")
        found.append(getattr(import_module(f"{__name__}.{module}"), name)())
    return tuple(found)


def dialect_of(source: Source) -> Dialect:
    """Return the dialect that a config is written in: the one that opened it, else the first that recognizes it."""
    if not isinstance(source, Config):
        return _dialect_of(source)
    known, chosen = _DIALECTS.setdefault(source, {}), chosen_dialect()
    if chosen not in known:
        known[chosen] = _dialect_of(source)
    return known[chosen]


# The dialect of each config that is in use, by the one that the user has chosen for all: each check asks for it.
_DIALECTS: WeakKeyDictionary[Config, dict[str | None, Dialect]] = WeakKeyDictionary()


def _dialect_of(source: Source) -> Dialect:
    if isinstance(source, Config) and source.dialect is not None:
        return next(one for one in dialects() if one.name == source.dialect)
    data = entries_of(source)
    return next((one for one in dialects() if one.recognize(data)), dialects()[-1])


def recognition_of(source: Source) -> Recognition | None:
    """Return what a config was recognized as, and why; None where nothing tells."""
    return dialect_of(source).recognize(entries_of(source))


def code_dialect(source: Source) -> CodeDialect | None:
    """Return the dialect of a config that is code; None for one that is read."""
    found = dialect_of(source)
    return found if isinstance(found, CodeDialect) else None


def with_answers(config: Config, arguments: Entries) -> Config | None:
    """Return a config that is no function with what ``-a`` gives it; None where it takes nothing.

    Raises:
        UsageError: It takes nothing of such a name.
    """
    code = code_dialect(config)
    return code.with_answers(config, arguments) if code and arguments else None


def opener_of(word: str) -> Opener | None:
    """Return the dialect that opens a word of the command line which is no file; None where none does."""
    openers = (one for one in dialects() if isinstance(one, Opener))
    return next((one for one in openers if one.opens(word)), None)


def load_config(
    path: str | Path, *, overrides: Sequence[str] = (), trust: bool = False, reader: Reader = DISK
) -> Config:
    """Read a config as :func:`optplan.config.load_config`; overrides add only what its dialect reads.

    Raises:
        ConfigError: The config cannot be read.
    """
    return load_plain(
        os.fspath(path), overrides=overrides, trust=trust, reader=reader, settable=_settable
    )


def _settable(data: Entries) -> frozenset[str]:
    return dialect_of(data).settable()


def load_config_file(path: str, *, overrides: Sequence[str] = (), trust: bool = False) -> Config:
    """Load the config that the command line names; as :func:`load_config`.

    Raises:
        ConfigError: It cannot be read, or it is none, and the message says what may be meant.
    """
    try:
        config = load_config(path, overrides=overrides, trust=trust)
    except ConfigError as error:
        raise meant_by(path) or error from None
    try:
        section_names(config)
    except ConfigError:
        if meant := meant_by(path):
            raise meant from None
        if dialect_of(config).passes_over(config.data):
            raise
    return config


def meant_by(word: str) -> ConfigError | None:
    """Return what to say of a word that is no config, where a dialect knows what may be meant."""
    return next((found for one in dialects() if (found := one.meant(word))), None)


def passed_over(source: Source | str) -> str | None:
    """Return what a config, or a file that is none, is where it is known and not read; else None."""
    if isinstance(source, str):
        return next((found for one in dialects() if (found := one.seems(source))), None)
    return dialect_of(source).passes_over(entries_of(source))


def section_names(config: Config) -> list[str]:
    """Return the top-level entries that make up a config's optimizer section."""
    return dialect_of(config).section_names(config)


def find_optimizer(config: Source) -> OptimizerConfig:
    """Return a config's optimizer section; one with nothing in it where :func:`find_sections` finds several."""
    return dialect_of(config).read(config)


def find_sections(config: Source) -> Mapping[str, OptimizerConfig]:
    """Return the optimizer sections of a config that has several by name; none where it has one."""
    return dialect_of(config).read_several(config)


def find_scaling(config: Source, batch: Batch = NO_BATCH) -> Scaling | None:
    """Return how a config's lr depends on the batch, None where it does not."""
    return finite(dialect_of(config).scaling(config, batch))


def find_own_model(config: Config) -> OwnModel | None:
    """Return the model that a config names itself, None where it names none."""
    return own_model(config, dialect_of(config).model(config))


def find_schedulers(source: Source) -> Section:
    """Return the schedulers of a config: shared ones, or those of each optimizer by its name."""
    dialect = dialect_of(source)
    if not isinstance(source, Config):
        return dialect.schedulers(source)
    known = _SECTIONS.setdefault(source, {})
    if dialect.name not in known:
        known[dialect.name] = dialect.schedulers(source.data)
    return known[dialect.name]


# The schedulers of each config that is in use, by the dialect: several checks ask for them.
_SECTIONS: WeakKeyDictionary[Config, dict[str, Section]] = WeakKeyDictionary()


def scheduler_types(source: Source) -> list[object]:
    """Return the types of a config's schedulers; none where its section is wrong, which reading it says."""
    from optplan.schedule import types_in

    try:
        return types_in(find_schedulers(source))
    except ScheduleError:
        return []


def find_unread(source: Source) -> tuple[Unread, ...]:
    """Return everything in a config that may move the lr and that optplan does not read."""
    return dialect_of(source).unread(entries_of(source))


def find_training(
    source: Source,
    *,
    epochs: int | None = None,
    iters: int | None = None,
    per_epoch: int | None = None,
) -> Training:
    """Return how long the training of a config is.

    Args:
        source: The config, or its entries.
        epochs, iters: A length that counts instead of the config's.
        per_epoch: How many iterations one epoch has.

    Raises:
        UsageError: There is no length, or there are two.
        ScheduleError: What the config says is wrong.
    """
    from optplan.schedule import Training

    if epochs is not None and iters is not None:
        raise UsageError("--epochs and --iters: give one of them")
    length = iters if epochs is None else epochs
    if length is None:
        return dialect_of(source).training(entries_of(source), per_epoch)
    return Training(by_epoch=epochs is not None, length=length, per_epoch=per_epoch)
