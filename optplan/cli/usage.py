"""Errors of the command line itself, in the words of optplan's other errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from optplan.cli.command_line import CommandLine, no_value, typed
from optplan.errors import UsageError, did_you_mean, listed, quoted

_CONFIG_ENDINGS = (".py", ".json", ".yaml", ".yml", ".toml", ".pth", ".pt")


def usage_error(error: Any, context: Any, words: Sequence[str]) -> UsageError:
    """Return optplan's error for one of typer's.

    Args:
        error: What typer raised.
        context: Its context of the command.
        words: The words behind the command.
    """
    line = CommandLine(context=context, words=words)
    match type(error).__name__:
        case "NoSuchOption":
            return _unknown_option(line, error.option_name)
        case "MissingParameter":
            return _missing(line, error.param)
        case "BadOptionUsage" if line.takes_value(error.option_name):
            return no_value(line, error.option_name)
        case "BadOptionUsage":
            return UsageError(f"{error.option_name} takes no value", hint=line.help_hint())
        case "BadParameter" if hasattr(error, "given"):
            return _wrong_value(line, error)
    text = " ".join(error.message.removesuffix(".").split())
    return UsageError(text[:1].lower() + text[1:], hint=line.help_hint())


def unknown_command(context: Any, words: Sequence[str]) -> UsageError:
    """Return the error of a first word that is no command."""
    line = CommandLine(context=context, words=words)
    known = list(context.command.commands)
    word, *rest = words
    message = f"no such command '{word}'"
    if commands := [one for one in rest if one in known]:
        others = [one for one in words if one != commands[0]]
        hint = f"the command comes first: {line.written([commands[0], *others])}"
        return UsageError(message, hint=hint)
    if "show" in known and _is_config(word):
        return UsageError(f"{message}: it is a config", hint=line.written(["show", *words]))
    meant = did_you_mean(word, known)
    return UsageError(message, hint=meant or f"{line.help_hint()} for the commands")


def extra_words(context: Any, words: Sequence[str]) -> UsageError:
    """Return the error of words that belong to no argument of the command."""
    line = CommandLine(context=context, words=words)
    extras = list(context.args)
    named = listed([quoted(word) for word in extras])
    message = f"unexpected argument{'s' if extras[1:] else ''} {named}"
    return UsageError(message, hint=_meant(line, extras) or line.help_hint())


def _meant(line: CommandLine, extras: list[str]) -> str | None:
    """Return the hint how extra words were meant."""
    word = extras[0]
    if (option := _option_before(line, word)) is not None:
        flag, value = option
        if line.options[flag].multiple and "=" in word:
            return f"one {flag} each: {_repeated(flag, [value, *extras])}"
    if "=" in word and "--set" in line.options:
        return f"a value of the config: {_repeated('--set', extras)}"
    if line.context.info_name == "diff":
        return "diff compares two" if _is_config(word) else _with_model(line, extras)
    if _is_config(word):
        return _two_configs(line, extras)
    if "--param" in line.options and not {"-m", "--model"}.isdisjoint(line.words):
        return (
            f"parameters are named with --param: {line.written(_replaced(line, word, '--param'))}"
        )
    return _with_model(line, extras)


def _repeated(option: str, values: Sequence[str]) -> str:
    """Return an option for each value, to type."""
    words = [word for value in values for word in (option, value)]
    return typed(words).partition(" ")[2]


def _option_before(line: CommandLine, word: str) -> tuple[str, str] | None:
    """Return the option whose value stands right before a word, with that value."""
    at = line.words.index(word) if word in line.words else 0
    if at >= 2 and line.takes_value(line.words[at - 2]):
        return line.words[at - 2], line.words[at - 1]
    return None


def _two_configs(line: CommandLine, extras: list[str]) -> str | None:
    """Return the hint for a config among the extra words."""
    first = next((one for one in line.words if one[:1] != "-"), "")
    if first in extras or extras[1:]:
        return f"{line.command} takes one config"
    if not _is_config(first) and "--model" in line.options:  # the model was named first
        others = [one for one in line.words if one not in (first, extras[0])]
        return line.written([extras[0], "--model", first, *others])
    return f"{line.command} takes one config; {typed(['diff', first, extras[0]])} compares two"


def _with_model(line: CommandLine, extras: list[str]) -> str | None:
    """Return the command with an extra word as its model."""
    word = extras[0]
    if extras[1:] or word[:1] == "-" or not {"-m", "--model"}.isdisjoint(line.words):
        return None
    words = _replaced(line, word, "--model")
    if "--model" in line.options:
        return line.written(words)
    return typed(["show", *words]) if line.context.info_name == "config" else None


def _replaced(line: CommandLine, word: str, option: str) -> list[str]:
    """Return the words with an option before one of them."""
    at = len(line.words) - 1 - list(reversed(line.words)).index(word)
    return [*line.words[:at], option, *line.words[at:]]


def _is_config(word: str) -> bool:
    """Return whether a word looks like a config rather than a model or a command."""
    return word.endswith(_CONFIG_ENDINGS) or ":" in word or Path(word).is_file()


def _unknown_option(line: CommandLine, name: str) -> UsageError:
    """Return the error of an option that this command has not."""
    message = f"{line.command} has no option '{name}'"
    if owners := list(_owners(name)):
        if line.context.parent is None:
            return UsageError(message, hint=_after_command(line, name, owners))
        return UsageError(message, hint=f"it is an option of {listed(owners)}")
    return UsageError(message, hint=did_you_mean(name, line.options) or line.help_hint())


def _after_command(line: CommandLine, name: str, owners: list[str]) -> str:
    """Return the hint for an option of a command that stands before the command."""
    commands = line.context.command.commands
    command = next((one for one in line.words if one in commands), None)
    if command is None:
        return f"options follow the command: optplan {owners[0]} CONFIG {name}"
    others = [one for one in line.words if one != command]
    return f"options follow the command: {line.written([command, *others])}"


def _owners(name: str) -> Iterator[str]:
    """Yield the commands that have an option."""
    import typer

    from optplan.cli.app import COMMANDS, app_for

    for command in COMMANDS:
        app: Any = typer.main.get_command(app_for([command]))
        one = app.commands[command]
        if any(name in (*each.opts, *each.secondary_opts) for each in one.params):
            yield command


def _missing(line: CommandLine, parameter: Any) -> UsageError:
    what = parameter.metavar or parameter.name.upper()
    text: str = line.context.command.help or ""
    example = text.partition("Example: ")[2].partition("\n")[0]
    hint = f"for example: {example}" if example else line.help_hint()
    return UsageError(f"{line.command}: no {what} is given", hint=hint)


def _wrong_value(line: CommandLine, error: Any) -> UsageError:
    """Return the error of a value that is none of an option's choices, or no number as it takes them."""
    parameter = error.param
    name = _name_given(line, parameter)
    known = _choices(parameter)
    given = error.given if isinstance(error.given, list | tuple) else [error.given]
    if known:
        wrong = next((str(one) for one in given if str(one) not in known), str(given[0]))
        choices = f"{', '.join(known[:-1])} or {known[-1]}" if known[1:] else known[0]
        meant = did_you_mean(wrong, known)
        return UsageError(
            f"{name}: '{wrong}' is not one of its values", hint=meant or f"write {choices}"
        )
    least = _least(parameter)
    wrong = str(given[0])
    if least is None:
        return UsageError(
            f"{name}: '{wrong}' cannot be used: {error.message}", hint=line.help_hint()
        )
    if not wrong.strip().lstrip("+-").isdecimal():
        message = f"{name} needs a whole number, not '{wrong}'"
        return UsageError(message, hint=f"such as {name} {max(least, 2)}")
    return UsageError(f"{name} must be at least {least}, not {wrong}", hint=line.help_hint())


def _name_given(line: CommandLine, parameter: Any) -> str:
    """Return an option by the name that was typed."""
    typed = [word.partition("=")[0] for word in line.words]
    return next((name for name in parameter.opts if name in typed), str(parameter.opts[0]))


def _choices(parameter: Any) -> list[str]:
    """Return the values of an option that has a fixed set of them."""
    holder = getattr(parameter, "type_descriptor", None) or parameter.type
    choices = getattr(holder, "choices", None) or ()
    return [str(getattr(one, "value", one)) for one in choices]


def _least(parameter: Any) -> int | None:
    """Return the smallest number that an option takes; None where it takes no numbers."""
    descriptor = getattr(parameter, "type_descriptor", None)
    least = descriptor.parameter_info.min if descriptor else getattr(parameter.type, "min", None)
    return None if least is None else int(least)
