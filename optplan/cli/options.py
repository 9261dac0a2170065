"""The options that several commands take, declared once, in the panels of their help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from optplan.cli.completion import timm_names
from optplan.cli.running import Color, Dialect

if TYPE_CHECKING:
    from optplan.config import Batch

_MODEL, _CONFIG, _REPORT = "Model", "Config", "Report"

# What CONFIG may be, for the commands' help.
CONFIG_HELP = (
    "A .py, .json, .yaml or .toml config; train.py:function or package.module:function; package::path of an "
    "installed package; REV:path, a file in a git revision."
)
PLAN_HELP = f"{CONFIG_HELP[:-1]}; or a plan saved as JSON."


@dataclass(frozen=True, kw_only=True)
class ConfigOptions:
    """The options that say how a config is read."""

    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="A.B=VALUE",
            help="Override a config value; repeatable. --cfg-options takes several, as MMEngine does.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    function_arg: Annotated[
        list[str] | None,
        typer.Option(
            "-a",
            "--arg",
            metavar="NAME=VALUE",
            help="An argument for the function that CONFIG names, as a Python literal; repeatable.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    dialect: Annotated[
        Dialect | None,
        typer.Option(
            "--dialect",
            help="Read an OpenMMLab config by this trainer's rules; left out, its entries tell.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Execute the config as Python, with everything that it names. Only for files you trust.",
            rich_help_panel=_CONFIG,
        ),
    ] = False

    @cached_property
    def function_arguments(self) -> Mapping[str, Any]:
        """What a function in the place of the config is given beside the model.

        Raises:
            UsageError: A word of ``-a`` is not of the form ``name=value``.
        """
        return named_values("-a", self.function_arg)


@dataclass(frozen=True, kw_only=True)
class PlanOptions(ConfigOptions):
    """The options that say what a plan is made of."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A timm name, hf:TYPE, hf:FOLDER or config.json of a model of transformers, package.module:attr, "
            "or path/to/file.py:attr. Default: the config's own model, or that of its target in pyproject.toml.",
            rich_help_panel=_MODEL,
            autocompletion=timm_names,
        ),
    ] = None
    model_arg: Annotated[
        list[str] | None,
        typer.Option(
            "-k",
            "--model-arg",
            metavar="NAME=VALUE",
            help="An argument for the model, or an entry of its config, as a Python literal; repeatable.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    peft: Annotated[
        str | None,
        typer.Option(
            "--peft",
            metavar="ADAPTER_CONFIG",
            help="Put an adapter of peft into the model: an adapter_config.json, or the folder that holds it.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    materialize: Annotated[
        bool,
        typer.Option(
            "--materialize",
            help="Build the model with memory, for code that reads its values.",
            rich_help_panel=_MODEL,
        ),
    ] = False
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", help="Do not read or write the model cache.", rich_help_panel=_MODEL
        ),
    ] = False
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="MODULE_OR_FILE",
            help="Import this first: it registers what the config names; repeatable.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    world_size: Annotated[
        int | None,
        typer.Option(
            "--world-size",
            metavar="N",
            min=1,
            help="The number of training processes, where the lr depends on the batch.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            help="Samples per process, instead of the config's.",
            rich_help_panel=_CONFIG,
        ),
    ] = None
    auto_scale_lr: Annotated[
        bool,
        typer.Option(
            "--auto-scale-lr",
            help="Scale the lr by the batch, as the trainer's option of that name does.",
            rich_help_panel=_CONFIG,
        ),
    ] = False

    @cached_property
    def model_arguments(self) -> Mapping[str, Any]:
        """The model's arguments.

        Raises:
            UsageError: A word of ``-k`` is not of the form ``name=value``.
        """
        from optplan.hf_specs import ADAPTER

        given = named_values("-k", self.model_arg)
        return given if self.peft is None else {**given, ADAPTER: self.peft}

    @property
    def batch(self) -> Batch:
        """What is known of the batch."""
        from optplan.config import Batch

        return Batch(
            world_size=self.world_size, size=self.batch_size, auto_scale_lr=self.auto_scale_lr
        )

    @property
    def is_cached(self) -> bool:
        """Whether the cache may be used: no code but torch's and timm's is asked for."""
        return not (self.no_cache or self.trust or self.imports)


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """The options that say where the report goes, and how."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the report to a file.",
            rich_help_panel=_REPORT,
        ),
    ] = None
    color: Annotated[
        Color, typer.Option("--color", help="When to use colours.", rich_help_panel=_REPORT)
    ] = Color.AUTO
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Suppress warnings.", rich_help_panel=_REPORT)
    ] = False
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show a traceback with an error.", rich_help_panel=_REPORT),
    ] = False


ItersPerEpochOption = Annotated[
    int | None,
    typer.Option(
        "--iters-per-epoch",
        metavar="N",
        min=1,
        help="The iterations of one epoch.",
        rich_help_panel=_CONFIG,
    ),
]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command for typer, each parameter that is a dataclass of options as these options."""
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    classes: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if is_dataclass(parameter.annotation):
            classes[parameter.name] = parameter.annotation
            parameters += _options(parameter.annotation)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def run(**given: Any) -> None:
        for name, one in classes.items():
            given[name] = one(**{field.name: given.pop(field.name) for field in fields(one)})
        command(**given)

    run.__name__, run.__doc__, run.__module__ = (
        command.__name__,
        command.__doc__,
        command.__module__,
    )
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _options(one: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(one, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
        for field in fields(one)
    ]


def named_values(option: str, words: Iterable[str] | None) -> dict[str, Any]:
    """Return ``name=value`` words as arguments.

    Args:
        option: The option that gives them, for the message.
        words: The words.

    Raises:
        UsageError: A word is not of this form.
    """
    from optplan.errors import UsageError

    arguments: dict[str, Any] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not all(part.isidentifier() for part in name.split(".")):
            raise UsageError(f"{option} {word}: write name=value")
        arguments[name] = _literal(f"{option} {word}", value)
    return arguments


def _literal(word: str, value: str) -> object:
    """Return a Python literal; a word that can be none is text, which shells make hard to quote."""
    import ast

    from optplan.errors import UsageError

    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if value.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum():
            return value
        raise UsageError(f"{word}: {value!r} is no Python literal") from None
