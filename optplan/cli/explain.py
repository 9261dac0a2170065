"""``optplan explain``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from optplan.cli.options import (
    ArgumentsOption,
    AutoScaleOption,
    BatchSizeOption,
    CacheOption,
    ColorOption,
    DebugOption,
    DialectOption,
    FunctionArgumentsOption,
    ImportOption,
    MaterializeOption,
    ModelOption,
    OutputOption,
    QuietOption,
    SetOption,
    TrustOption,
    WorldSizeOption,
    function_arguments,
)
from optplan.cli.running import Color, deliver, running


class ExplainFormat(StrEnum):
    """The formats of ``explain``."""

    TEXT = "text"
    JSON = "json"


def explain(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A config file.")],
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...", help="Parameters by name or pattern, as 'layer1.*.bias'."
        ),
    ],
    model: ModelOption = None,
    model_arg: ArgumentsOption = None,
    function_arg: FunctionArgumentsOption = None,
    overrides: SetOption = None,
    imports: ImportOption = None,
    dialect: DialectOption = None,
    trust: TrustOption = False,
    world_size: WorldSizeOption = None,
    batch_size: BatchSizeOption = None,
    auto_scale_lr: AutoScaleOption = False,
    output_format: Annotated[
        ExplainFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = ExplainFormat.TEXT,
    materialize: MaterializeOption = False,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
    no_cache: CacheOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain why these parameters get what they get."""
    with running(quiet=quiet, debug=debug, dialect=dialect):
        from optplan.cli.planning import import_first, plan_of
        from optplan.config import Batch
        from optplan.errors import UsageError
        from optplan.plan import Planned
        from optplan.plan.explanation import explain as explained
        from optplan.reporters.explain import explain_json, explain_text
        from optplan.reporters.scaling_words import not_final_text
        from optplan.reporters.summary import rules_text

        import_first(imports or (), (config,), model, trust=trust)
        batch = Batch(world_size=world_size, size=batch_size, auto_scale_lr=auto_scale_lr)
        planned = plan_of(
            config,
            model,
            model_arg,
            overrides=overrides or (),
            trust=trust,
            batch=batch,
            is_cached=not (no_cache or trust or imports),
            function_arguments=function_arguments(function_arg),
            materialize=materialize,
        )
        if not isinstance(planned, Planned):
            raise UsageError(
                f"{config!r} is a saved plan, which keeps the rules that won and not those that lost",
                hint="name the config that it was made from",
            )
        found = explained(planned, names)

        def report(width: int | None, colored: bool) -> str:
            if output_format is ExplainFormat.JSON:
                return explain_json(planned.plan, found)
            warning = not_final_text(planned.plan)
            rules = rules_text(planned.plan)
            return explain_text(found, width=width, color=colored, warning=warning, rules=rules)

        deliver(report, output, color)
