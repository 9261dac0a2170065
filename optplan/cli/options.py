"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from optplan.cli.running import Color, Dialect

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A timm name, package.module:attr, or path/to/file.py:attr; left out, the config's own.",
    ),
]
ArgumentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "-k",
        "--model-arg",
        metavar="NAME=VALUE",
        help="An argument for the model, as a Python literal.",
    ),
]
FunctionArgumentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "-a",
        "--arg",
        metavar="NAME=VALUE",
        help="An argument for the function that CONFIG names, as a Python literal.",
    ),
]
MaterializeOption = Annotated[
    bool,
    typer.Option(
        "--materialize", help="Build the model with memory, for a function that reads its values."
    ),
]
ItersPerEpochOption = Annotated[
    int | None,
    typer.Option("--iters-per-epoch", metavar="N", min=1, help="The iterations of one epoch."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="A.B=VALUE",
        help="Override a config value; --cfg-options takes several, as MMEngine does.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option("--trust", help="Execute a Python config that the evaluator cannot read."),
]
DialectOption = Annotated[
    Dialect | None,
    typer.Option(
        "--dialect",
        help="Read an OpenMMLab config by this trainer's rules; left out, its entries tell.",
    ),
]
WorldSizeOption = Annotated[
    int | None,
    typer.Option(
        "--world-size",
        metavar="N",
        min=1,
        help="In how many processes it trains, where the lr depends on the batch.",
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        "--batch-size", metavar="N", min=1, help="Samples per process, instead of the config's."
    ),
]
AutoScaleOption = Annotated[
    bool,
    typer.Option(
        "--auto-scale-lr", help="Scale the lr by the batch, as the trainer's option does."
    ),
]
ImportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE_OR_FILE",
        help="Import it first, so that it can register what configs name.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file."),
]
ColorOption = Annotated[Color, typer.Option("--color", help="When to use colours.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No remarks on stderr.")]
CacheOption = Annotated[
    bool,
    typer.Option("--no-cache", help="Do not read or write the model cache."),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")]


def model_arguments(words: Iterable[str] | None) -> dict[str, Any]:
    """``name=value`` words of ``-k`` as arguments.

    Raises:
        UsageError: A word that is not of this form.
    """
    return _named_values("-k", words)


def function_arguments(words: Iterable[str] | None) -> dict[str, Any]:
    """``name=value`` words of ``-a`` as arguments.

    Raises:
        UsageError: A word that is not of this form.
    """
    return _named_values("-a", words)


def _named_values(option: str, words: Iterable[str] | None) -> dict[str, Any]:
    from optplan.errors import UsageError

    arguments: dict[str, Any] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{option} {word}: write name=value")
        arguments[name] = _literal(f"{option} {word}", value)
    return arguments


def _literal(word: str, value: str) -> object:
    """A Python literal; a word that can be none is text, which shells make hard to quote."""
    import ast

    from optplan.errors import UsageError

    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if value.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum():
            return value
        raise UsageError(f"{word}: {value!r} is no Python literal") from None
