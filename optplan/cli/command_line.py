"""Read the words behind a command, and what a shell or an editor made of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optplan.errors import UsageError

# what shells of Windows leave, and what editors make of quotes and hyphens
_QUOTES, _DASHES = "'\"\u2018\u2019\u201c\u201d\u00ab\u00bb", "\u2010\u2011\u2012\u2013\u2014\u2212"


def typed(words: Sequence[str]) -> str:
    """Return a command line to type, with quotes where a shell needs them."""
    if sys.platform == "win32":
        from subprocess import list2cmdline as joined
    else:
        from shlex import join as joined
    return joined(["optplan", *words])


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """The words behind one command.

    Args:
        context: typer's context of the command.
        words: The words.
    """

    context: Any
    words: Sequence[str]

    @property
    def command(self) -> str:
        """Return the command as it is typed: ``optplan cache``."""
        path: str = self.context.command_path
        return path

    @cached_property
    def options(self) -> dict[str, Any]:
        """Return typer's options by their names."""
        parameters = self.context.command.get_params(self.context)
        options = [one for one in parameters if one.param_type_name == "option"]
        return {name: one for one in options for name in (*one.opts, *one.secondary_opts)}

    def help_hint(self) -> str:
        """Return the hint where nothing closer is known."""
        return f"see {self.command} --help"

    def written(self, words: Sequence[str]) -> str:
        """Return this command with other words behind it."""
        return typed([*self.command.split()[1:], *words])

    def takes_value(self, word: str) -> bool:
        """Return whether a word is an option that the next word belongs to."""
        return word in self.options and not self.options[word].is_flag


def misread(context: Any, words: Sequence[str]) -> UsageError | None:
    """Return the error of words that typer would read otherwise than they are meant.

    An option that stands in the place of another one's value, a long option behind a single dash, and what a shell
    or an editor made of a word: nothing, quotes, a dash that is no hyphen.
    """
    line = CommandLine(context=context, words=words)
    before = ""
    for word in words:
        if word == "--":
            return None
        if error := _mangled(word, before):
            return error
        if line.takes_value(before):
            if word in line.options:
                return no_value(line, before, f", but {word} follows")
            before = ""
            continue
        if word[:2] != "--" and f"-{word}".partition("=")[0] in line.options and len(word) > 2:
            hint = f"a long option has two dashes: -{word}"
            return UsageError(f"no such option '{word}'", hint=hint)
        before = word
    return None


def _mangled(word: str, before: str) -> UsageError | None:
    """Return the error of a word that is not as it was typed, or not what was to be typed."""
    if not word or (word.startswith("--") and word.endswith("=")):
        what = word or (f"the value of {before}" if before[:1] == "-" else "an argument")
        return UsageError(f"{what} is empty", hint="a variable of the shell may have no value")
    if word[0] in _QUOTES and not os.path.lexists(word):
        plain = word.strip(_QUOTES)
        return UsageError(f"{word} has quotes that this shell keeps", hint=f'write "{plain}"')
    if word[0] in _DASHES and not os.path.lexists(word):
        hint = f"write --{word.lstrip(_DASHES)}"
        return UsageError(f"{word} begins with a dash that is no hyphen", hint=hint)
    return None


def no_value(line: CommandLine, name: str, reason: str = "") -> UsageError:
    """Return the error of an option that no value follows."""
    metavar = line.options[name].metavar or "VALUE"
    return UsageError(f"{name} needs a value{reason}", hint=f"{name} {metavar}")
