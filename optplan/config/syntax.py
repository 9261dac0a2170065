"""Parse Python configs within bounds, and tell which style they are written in."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from typing import TYPE_CHECKING

from optplan.config.evaluator.modules import is_standard
from optplan.config.limits import Refusal, check_int
from optplan.errors import ConfigError
from optplan.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optplan.config.placed import File

# fields of one f-string before Python 3.12, and of all f-strings of a file since
_MANY_FIELDS = 20_000
_MANY_IN_ALL = 60_000
# what the parser refuses before Python 3.13
_MANY_LEVELS = 2_900
_F_STRING = re.compile(r"""(?<!\w)(?:[ft]r?|r[ft])['"]""", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"0[xXoObB][0-9a-fA-F_]{2500}")
_INNER_BASE = re.compile(r"^[ \t]+.*_base_", re.MULTILINE)
_LONGEST_KEPT, _MOST_KEPT = 10_000, 100
_KEPT_BASES: dict[str, ast.Module] = {}
_NESTED = "it is nested too deeply to be read"


def parsed(file: File) -> ast.Module:
    """Return the syntax tree of a config's text.

    Raises:
        ConfigError: It is no valid Python, or nested too deeply.
    """
    _check_texts(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(file.text)
        except SyntaxError as error:
            raise _syntax_error(error, file) from None
        except (RecursionError, MemoryError):
            raise ConfigError(_NESTED, place=Place(file.source, 0, 0)) from None
        except ValueError as error:
            raise ConfigError(f"invalid syntax: {error}", place=Place(file.source, 0, 0)) from None
    # each level takes a character at least
    if len(file.text) > _MANY_LEVELS and _is_nested_deeply(tree):
        raise ConfigError(_NESTED, place=Place(file.source, 0, 0))
    if _LONG_NUMBER.search(file.text):
        _check_numbers(file, tree)
    return tree


def parsed_base(file: File) -> ast.Module:
    """Return the same of a base, which is kept: many configs inherit from one.

    Raises:
        ConfigError: It is no valid Python, or nested too deeply.
    """
    text = file.text
    if len(text) > _LONGEST_KEPT or _INNER_BASE.search(
        text
    ):  # of the latter, evaluation changes the tree
        return parsed(file)
    tree = _KEPT_BASES.pop(text, None) or parsed(file)
    _KEPT_BASES[text] = tree  # the last that was used
    if len(_KEPT_BASES) > _MOST_KEPT:
        del _KEPT_BASES[next(iter(_KEPT_BASES))]
    return tree


def _check_numbers(file: File, tree: ast.Module) -> None:
    """Refuse whole numbers that no operation may make either; only these digits have no limit."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            try:
                check_int(node.value)
            except Refusal as refusal:
                place = file.place(node.lineno, node.col_offset)
                raise ConfigError(refusal.message, place=place) from None


def _check_texts(file: File) -> None:
    """Refuse f-strings of very many fields, for which the parser takes quadratic time."""
    braces = file.text.count("{")
    if braces < _MANY_FIELDS:
        return
    line = (
        _long_f_string(file.text) if sys.version_info < (3, 12) else _f_strings(file.text, braces)
    )
    if line is not None:
        raise ConfigError("the text holds too many fields", place=file.place(line, 0))


def _long_f_string(text: str) -> int | None:
    """Return the line of a string with too many braces."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and token.string.count("{") > _MANY_FIELDS:
                return token.start[0]
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser says it better
    return None


def _f_strings(text: str, braces: int) -> int | None:
    """Return the line of the first f-string, if all braces of the text would be too many for them.

    To take the text apart into tokens would take quadratic time, too.
    """
    first = _F_STRING.search(text) if braces > _MANY_IN_ALL else None
    return None if first is None else text.count("\n", 0, first.start()) + 1


def _is_nested_deeply(tree: ast.Module) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(_MANY_LEVELS):
        level = [inner for node in level for inner in ast.iter_child_nodes(node)]
    return bool(level)


def _syntax_error(error: SyntaxError, file: File) -> ConfigError:
    line, column = error.lineno or 0, error.offset or 1
    if file.origins is None or not line:
        place = Place(file.source, line, max(column, 1))
    else:
        text = file.text.split("\n")[line - 1] if line <= file.text.count("\n") + 1 else ""
        place = file.place(line, len(text[: column - 1].encode("utf-8", "replace")))
    message = (
        error.msg if error.msg.startswith("invalid syntax") else f"invalid syntax: {error.msg}"
    )
    return ConfigError(message, place=place)


def base_assignment(tree: ast.Module) -> ast.Assign | None:
    """Return the first top-level ``_base_ = …``, or None."""
    return next((node for node in tree.body if is_base_assignment(node)), None)  # type: ignore[return-value]


def is_base_assignment(node: ast.AST) -> bool:
    """Return whether a statement is ``_base_ = …``."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "_base_"
    )


def without_base(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return a block without its assignments to ``_base_``, which are no part of what is evaluated."""
    kept = [node for node in statements if not is_base_assignment(node)]
    for node in kept:
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, without_base(block))
    return kept


def is_pure(file: File, tree: ast.Module) -> bool:
    """Return whether a config is in the pure-Python style, whose imports bind symbols.

    Raises:
        ConfigError: It has a ``with`` block other than ``with read_base()``.
    """
    if "import" not in file.text and "with" not in file.text:
        return False
    for node in _statements(tree):
        if is_base_assignment(node):
            return False
        if isinstance(node, ast.With):
            if not is_read_base(node):
                place = file.place(node.lineno, node.col_offset)
                raise ConfigError("only 'with read_base():' may stand in a config", place=place)
            return True
        if isinstance(node, ast.Import | ast.ImportFrom) and _is_foreign(node):
            return True
    return False


def _is_foreign(node: ast.Import | ast.ImportFrom) -> bool:
    """Return whether an import is of something else than the standard library."""
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return not all(map(_is_plain, names))
    if node.level:
        return True
    if node.module is None or (node.module == "mmengine" and names == ["Config"]):
        return False
    return not _is_plain(node.module)


def _is_plain(module: str) -> bool:
    return is_standard(module) or module.startswith("mmengine.config")


def is_read_base(node: ast.With) -> bool:
    """Return whether a block is ``with read_base():``."""
    call = node.items[0].context_expr
    return (
        len(node.items) == 1
        and isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "read_base"
    )


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all statements, the outer ones before the inner ones."""
    level: list[ast.AST] = list(tree.body)
    while level:
        yield from level
        level = [
            inner
            for node in level
            for field in ("body", "orelse", "finalbody", "handlers", "cases")
            for inner in _block(node, field)
        ]


def _block(node: ast.AST, field: str) -> list[ast.AST]:
    block = getattr(node, field, None)
    return block if isinstance(block, list) else []
