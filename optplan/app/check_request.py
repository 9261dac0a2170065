"""Turn the words and options of ``optplan check`` into a request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optplan.app.request import PlanRequest
from optplan.checks.base import Check
from optplan.checks.selection import prefix_problem, split_codes
from optplan.checks.session import Request, with_request
from optplan.checks.tasks import Reading
from optplan.checks.tool_config import Target, ToolConfig
from optplan.checks.tool_config_file import ToolConfigFinder
from optplan.errors import UsageError


def check_request(
    words: Sequence[str],
    options: PlanRequest,
    checks: tuple[Check, ...],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    no_model: bool = False,
) -> Request:
    """Return what is asked for.

    Args:
        words: Files, folders and globs.
        options: The model, and how configs are read.
        checks: All checks.
        select, ignore: Codes as the command line gives them.
        no_model: Build no models.

    Raises:
        UsageError: Options exclude each other, or name a check that there is not.
    """
    from optplan.app.plan import stand_ins
    from optplan.config.recognition import chosen_dialect

    return Request(
        words=tuple(words),
        model=_target(options, no_model=no_model),
        models=not no_model,
        select=_codes("--select", select, checks),
        ignore=_codes("--ignore", ignore, checks),
        reading=Reading(
            imports=tuple(options.imports or ()),
            overrides=tuple(options.overrides or ()),
            function_arguments=options.function_arguments,
            trust=options.trust,
            dialect=chosen_dialect(),
            stand_ins=stand_ins(trust=options.trust),
            batch=options.batch,
        ),
    )


def _target(options: PlanRequest, *, no_model: bool) -> Target | None:
    model, given = options.model, options.model_arguments
    if model is not None and no_model:
        raise UsageError(f"--model {model} and --no-model exclude each other")
    if options.peft is not None and model is None:
        raise UsageError("--peft needs a model to put the adapter into", hint="add --model")
    if given and model is None:
        raise UsageError("-k gives arguments to a model, and there is none", hint="add --model")
    return None if model is None else Target(model=model, arguments=given)


def _codes(option: str, words: Sequence[str], checks: tuple[Check, ...]) -> tuple[str, ...]:
    prefixes = split_codes(words)
    problems = [
        problem for prefix in prefixes if (problem := prefix_problem(prefix, checks, option))
    ]
    if problems:
        raise UsageError(problems)
    return prefixes


def applied_configs(request: Request, checks: tuple[Check, ...]) -> tuple[ToolConfig, ...]:
    """Return the tool configurations that apply to what is asked for.

    Raises:
        ConfigError: One is wrong.
    """
    finder = request.finder(checks)
    found = {id(one): one for one in map(finder.of, request.words)} or {0: finder.here()}
    return tuple(with_request(one, request) for one in found.values())


def configured_jobs(
    checks: tuple[Check, ...], config_file: Path | None, *, is_isolated: bool
) -> int:
    """Return how many processes the tool's configuration of the current folder asks for.

    Raises:
        ConfigError, UsageError: It is wrong.
    """
    only = None if config_file is None else str(config_file)
    return ToolConfigFinder(checks, only, is_isolated=is_isolated).here().jobs or 1
