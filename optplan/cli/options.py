"""Declare the options that several commands take, once, in the panels of their help."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from optplan.cli.delivery import Color, deliver
from optplan.reporters.formats import PlainFormat, TableFormat


def timm_names(incomplete: str) -> list[str]:
    """Return the names of timm's models that begin so, read from the source of the installed timm."""
    import re
    from pathlib import Path

    from optplan.runtime.installed import package_folder

    folder = package_folder("timm")
    if folder is None:
        return []
    registered = re.compile(r"^@register_model\ndef (\w+)", re.MULTILINE)
    texts = (path.read_text("utf-8") for path in Path(folder, "models").glob("*.py"))
    names = {name for text in texts for name in registered.findall(text)}
    return sorted(name for name in names if name.startswith(incomplete))


def check_codes(incomplete: str) -> list[tuple[str, str]]:
    """Return the codes of checks that begin so, each with the check's name."""
    from optplan.checks import ALL_CHECKS

    found = ((check.code, check.name) for check in ALL_CHECKS)
    return sorted(one for one in found if one[0].startswith(incomplete.upper()))


_MODEL, _CONFIG, _REPORT = "Model", "Config", "Report"

# What CONFIG may be, for the commands' help.
CONFIG_HELP = (
    "A .py, .json, .yaml or .toml config; train.py:function or package.module:function; package::path of an "
    "installed package; REV:path, a file in a git revision."
)
PLAN_HELP = f"{CONFIG_HELP[:-1]}; or a plan saved as JSON."


# What the command line calls each field of a request.
_REQUEST: dict[str, Any] = {
    "overrides": typer.Option(
        "--set",
        metavar="A.B=VALUE",
        help="Override a config value; repeatable. --cfg-options takes several, as MMEngine does.",
        rich_help_panel=_CONFIG,
    ),
    "function_arg": typer.Option(
        "-a",
        "--arg",
        metavar="NAME=VALUE",
        help="An argument for the function that CONFIG names, as a Python literal; repeatable.",
        rich_help_panel=_CONFIG,
    ),
    "dialect": typer.Option(
        "--dialect",
        help="Read an OpenMMLab config by this trainer's rules; left out, its entries tell.",
        rich_help_panel=_CONFIG,
    ),
    "trust": typer.Option(
        "--trust",
        help="Execute the config as Python, with everything that it names. Only for files you trust.",
        rich_help_panel=_CONFIG,
    ),
    "model": typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A timm name, hf:TYPE, hf:FOLDER or config.json of a model of transformers, package.module:attr, "
        "or path/to/file.py:attr. Default: the config's own model, or that of its target in pyproject.toml.",
        rich_help_panel=_MODEL,
        autocompletion=timm_names,
    ),
    "model_arg": typer.Option(
        "-k",
        "--model-arg",
        metavar="NAME=VALUE",
        help="An argument for the model, or an entry of its config, as a Python literal; repeatable.",
        rich_help_panel=_MODEL,
    ),
    "peft": typer.Option(
        "--peft",
        metavar="ADAPTER_CONFIG",
        help="Put an adapter of peft into the model: an adapter_config.json, or the folder that holds it.",
        rich_help_panel=_MODEL,
    ),
    "materialize": typer.Option(
        "--materialize",
        help="Build the model with memory, for code that reads its values.",
        rich_help_panel=_MODEL,
    ),
    "no_cache": typer.Option(
        "--no-cache", help="Do not read or write the model cache.", rich_help_panel=_MODEL
    ),
    "imports": typer.Option(
        "--import",
        metavar="MODULE_OR_FILE",
        help="Import this first: it registers what the config names; repeatable.",
        rich_help_panel=_CONFIG,
    ),
    "world_size": typer.Option(
        "--world-size",
        metavar="N",
        min=1,
        help="The number of training processes, where the lr depends on the batch.",
        rich_help_panel=_CONFIG,
    ),
    "batch_size": typer.Option(
        "--batch-size",
        metavar="N",
        min=1,
        help="Samples per process, instead of the config's.",
        rich_help_panel=_CONFIG,
    ),
    "auto_scale_lr": typer.Option(
        "--auto-scale-lr",
        help="Scale the lr by the batch, as the trainer's option of that name does.",
        rich_help_panel=_CONFIG,
    ),
}


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
    no_pager: Annotated[
        bool,
        typer.Option(
            "--no-pager",
            help="Do not show what is longer than the screen in $PAGER.",
            rich_help_panel=_REPORT,
        ),
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Suppress warnings.", rich_help_panel=_REPORT)
    ] = False
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show a traceback with an error.", rich_help_panel=_REPORT),
    ] = False

    def deliver(self, report: str | Callable[..., str]) -> None:
        """Put a report where the options say.

        Args:
            report: Its text, or what makes it of the ``width`` of the terminal and whether it has ``color``.

        Raises:
            OutputError: The file cannot be written.
        """
        deliver(report, self.output, self.color, pages=not self.no_pager)


_FORMAT = typer.Option("--format", "-f", help="The report's format.")
TableFormatOption = Annotated[TableFormat, _FORMAT]
PlainFormatOption = Annotated[PlainFormat, _FORMAT]
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
        inspect.Parameter(
            field.name,
            kind,
            default=field.default,
            annotation=Annotated[hints[field.name], _REQUEST[field.name]]
            if field.name in _REQUEST
            else hints[field.name],
        )
        for field in fields(one)
    ]
