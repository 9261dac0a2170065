"""``X.py:attr``, ``package.module:attr``: a function of the user's own in the place of a config."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optplan.config.files.file_reader import DISK
from optplan.config.loading import Config
from optplan.config.optimizer import (
    NO_SECTION,
    OPTIMIZER,
    OptimizerConfig,
    SectionForm,
    validated_section,
)
from optplan.config.overrides import apply_overrides
from optplan.config.placed import placed_dict
from optplan.config.recognition import SIGN_OF_CONFIG
from optplan.dialects.function.call_arguments import bound_arguments
from optplan.dialects.function.lightning_module import (
    METHOD,
    ModuleFunction,
    configures_optimizers,
    is_lightning_class,
    length_values,
)
from optplan.dialects.function.own_trainer import TrainerFunction, is_trainer_class
from optplan.dialects.function.source_functions import definition_at, optimizer_functions
from optplan.dialects.function.trainer_length import ARGUMENTS, TrainerLength, told_trainer
from optplan.errors import ConfigError, listed
from optplan.places import Place, Source, path_below
from optplan.runtime.user_code import importable_folders, module_file, module_in, user_attribute

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# How the path of a config in a revision ends, as in HEAD:config.py.
_SUFFIXES = frozenset({"py", "json", "yaml", "yml", "toml"})


@dataclass(frozen=True, kw_only=True, eq=False)
class FunctionConfig(Config):
    """A function in the place of a config; its data is what overrides have set.

    Args:
        function: Takes the model, and gives groups, an optimizer or several.
        name: What its file calls it.
        arguments: What it is given beside the model.
        place: Where its file defines the name.
        steps: How many steps the training has, where the command line says it.
        length: What its trainer says of its length, where it is a module of Lightning's.
        is_users: It is the user's own code; else the gate holds for it.
    """

    function: Callable[..., Any]
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None
    dialect: str | None = "function"
    steps: int | None = None
    length: TrainerLength | None = None
    is_users: bool = True

    def call(self, model: object) -> Any:
        """Return what the function makes of a model."""
        who = f"{self.entry.path}:{self.name}"
        given, named = bound_arguments(self.function, model, self.arguments, who=who, place=None)
        made = self.function(*given, **named)
        if inspect.iscoroutine(made):
            made.close()  # Python warns of one that is not awaited
        return made

    def importable(self) -> AbstractContextManager[None]:
        """Let the function import meanwhile what its file can."""
        return importable_folders(self.word.rpartition(":")[0])


def names_function(word: str) -> bool:
    """Return whether a word of the command line is ``X.py:attr`` or ``package.module:attr``.

    ``REV:path`` has the same form: its path ends as configs do, and a function's name does not.
    """
    head, _, attr = word.rpartition(":")
    if not attr or "\0" in word or head.endswith(":"):
        return False
    if head.endswith(".py") and Path(head).is_file():
        return True
    if not _DOTTED.fullmatch(attr) or attr.rpartition(".")[2] in _SUFFIXES:
        return False
    if head.endswith(".py"):
        return True
    return bool(_DOTTED.fullmatch(head)) and ("." in head or module_in(head) is not None)


def load_function(
    word: str, *, overrides: Sequence[str] = (), arguments: Mapping[str, Any] | None = None
) -> FunctionConfig:
    """Import what a word names, which is the user's consent, and find the function in it.

    Args:
        word: ``X.py:attr`` or ``package.module:attr``.
        overrides: ``optimizer.lr=0.1``: the optimizer that groups are for, where the function makes only
            groups.
        arguments: What the function is given beside the model.

    Raises:
        ConfigError: The file or module raises, there is no such function in it, or it does not go with
            these arguments.
    """
    head, _, attr = word.rpartition(":")
    found: Any = user_attribute(head, attr, ConfigError)
    source = _source(head)
    found, attr, model_word = _method(found, word, attr)
    place = Place(source, *definition_at(source.text, attr))
    _refuse_other_kinds(found, word, place)
    bound_arguments(found, None, arguments or {}, who=word, place=place)
    data = placed_dict({OPTIMIZER: placed_dict((), {})}.items(), {OPTIMIZER: None})
    _refuse_other_overrides(word, overrides)
    apply_overrides(data, overrides)
    if not data[OPTIMIZER]:
        data = placed_dict((), {})
    return FunctionConfig(
        data=data,
        entry=source,
        sources=(source,),
        trusted=True,
        function=found,
        name=attr,
        word=word,
        arguments=arguments or {},
        place=place,
        model_word=model_word,
    )


def _method(found: object, word: str, attr: str) -> tuple[Any, str, str | None]:
    """Return the function that a name means, what its file calls it, and the model that it goes with.

    A class of transformers' trainers means one made of the model, with ``TrainingArguments`` from ``-a``.
    A class that configures its own optimizers means that method, and is the model; the method of a
    LightningModule is given a trainer that answers.
    """
    head, _, method = attr.rpartition(".")
    if is_trainer_class(found):
        assert isinstance(found, type)
        return TrainerFunction(found), attr, None
    if configures_optimizers(found):
        assert isinstance(found, type)
        return ModuleFunction(found, word), f"{attr}.{METHOD}", word
    if method == METHOD:
        file = word.rpartition(":")[0]
        owner: Any = user_attribute(file, head, ConfigError)
        if is_lightning_class(owner):
            return ModuleFunction(owner, word), attr, f"{file}:{head}"
    return found, attr, None


def told_length(
    config: FunctionConfig, epochs: int | None, iters: int | None, per_epoch: int | None
) -> FunctionConfig:
    """Return a function that is told how long the training is, as far as it is one that asks."""
    config = replace(config, steps=epochs * per_epoch if epochs and per_epoch else iters)
    if not isinstance(config.function, ModuleFunction):
        return config
    if is_lightning_class(config.function.kind):
        given = {name: config.arguments[name] for name in ARGUMENTS if name in config.arguments}
        batches = config.arguments.get("num_training_batches", per_epoch)
        length = told_trainer(given, batches, epochs=epochs, iters=iters)
        values = {} if length is None else length.answers()
        config = replace(config, length=length)
    else:
        values = length_values(epochs=epochs, iters=iters, per_epoch=per_epoch)
    taken = inspect.signature(config.function).parameters
    known = {name: value for name, value in values.items() if name in taken}
    return replace(config, arguments={**known, **config.arguments})


def _refuse_other_overrides(word: str, overrides: Sequence[str]) -> None:
    """Refuse what is not an entry of the optimizer.

    Raises:
        ConfigError: There is such an override.
    """
    for override in overrides:
        path = override.partition("=")[0].strip()
        if not path.startswith(f"{OPTIMIZER}."):
            raise ConfigError(
                f"--set {override}: {word!r} is a function, which has no entry {path!r}",
                hint="--set optimizer.type=SGD, optimizer.lr=0.1 and so on choose the optimizer for the"
                " param groups that a function returns",
            )


def _source(head: str) -> Source:
    """Return the file that is named, or that of the module."""
    if head.endswith(".py"):
        file, name = head, Path(head).name
    else:
        file, name = module_file(head), head
        name = (path_below(file, os.getcwd()) if file else None) or head
    return Source(name=name, path=head if head.endswith(".py") else name, text=_text(file))


def _refuse_other_kinds(found: object, word: str, place: Place) -> None:
    """Refuse what is no function, or one that has to be awaited.

    Raises:
        ConfigError: It is such.
    """
    if isinstance(found, type) or not callable(found):
        raise ConfigError(
            f"{word!r} is a {type(found).__name__}, not a function that takes the model",
            hint="name a function, or a class that has configure_optimizers"
            if isinstance(found, type)
            else None,
        )
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise ConfigError(
            f"{word!r} is an async function, which makes nothing until it is awaited",
            place=place,
            hint="name a plain function",
        )


def section_of(config: FunctionConfig) -> OptimizerConfig:
    """Return the optimizer that ``--set`` gives the groups of a function; one without a type if it gives none.

    Raises:
        ConfigError: It is wrong.
    """
    if config.data and "type" not in config.data[OPTIMIZER]:
        raise ConfigError(
            f"--set names no optimizer for the param groups of {config.word}",
            place=config.place,
            hint="add --set optimizer.type=SGD; if the function makes the optimizer itself, give it arguments:"
            " -a NAME=VALUE",
        )
    given = config.data.get(OPTIMIZER)
    section = NO_SECTION
    if given is not None:
        section = validated_section(SectionForm.OPTIMIZER, given, given, {}, [], None)
    return replace(section, places={**section.places, "constructor": config.place})


def word_meant(word: str) -> ConfigError | None:
    """Return what to say of a word that is no config, None where no function may be meant."""
    return functions_meant(word.removesuffix(":")) or _with_colon(word)


def functions_meant(path: str) -> ConfigError | None:
    """Return what to say of a file that is no config: which functions in it may be meant.

    Returns:
        None where it is no Python file, or no function in it seems to make an optimizer.
    """
    text = _text(path)
    names = () if SIGN_OF_CONFIG.search(text) else optimizer_functions(text)
    if not names:
        return None
    return ConfigError(
        "it is code and no config: name the function in it that makes the optimizer",
        place=Place(Source(name=Path(path).name, path=path, text=text), 0, 0),
        hint=listed([f"{path}:{name}" for name in names]),
    )


def _with_colon(word: str) -> ConfigError | None:
    """Return what to say of ``package.module.attr``, None where a word is no such."""
    suffix = word.rpartition(".")[2]
    if not _DOTTED.fullmatch(word) or suffix in _SUFFIXES or Path(word).exists():
        return None
    module = module_in(word)
    if module == word:
        return functions_meant(word.replace(".", "/") + ".py")
    if module is None:
        return None
    code = _text(module.replace(".", "/") + ".py")
    if code and not re.search(rf"\b{suffix}\b", code):
        return None  # a file of another ending beside a module
    meant = f"{module}:{word.removeprefix(module)[1:]}"
    return ConfigError(f"{word}: there is no such file", hint=f"did you mean '{meant}'?")


def _text(path: str) -> str:
    """Return the text of a Python file as far as one of a config is read, empty where there is none to be read."""
    if not path.endswith(".py") or not os.path.isfile(path):
        return ""
    try:
        return DISK.read(path).decode("utf-8", errors="replace")
    except OSError:  # which a link to what is no file of a disk may raise
        return ""
