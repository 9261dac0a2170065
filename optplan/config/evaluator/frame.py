"""Where a piece of a config is evaluated: its names, its file, and the tables of what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.config.limits import Refusal
from optplan.errors import ConfigError, Problem

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from optplan.config.limits import Budget
    from optplan.config.placed import File, RawPlace
    from optplan.places import Place

# A message may quote a key that the config made.
_LONG_MESSAGE = 500
TRUST_HINT = "pass --trust to execute the file instead"

# What a kind of syntax node means; the modules of this package fill them.
EXPRESSIONS: dict[type[ast.AST], Callable[[Frame, Any], Any]] = {}
STATEMENTS: dict[type[ast.AST], Callable[[Frame, Any], str | None]] = {}

_CONSTRUCTS = {
    "FunctionDef": "a function definition",
    "AsyncFunctionDef": "an async function",
    "ClassDef": "a class definition",
    "Lambda": "a lambda",
    "NamedExpr": "an assignment expression (:=)",
    "Await": "'await'",
    "Yield": "'yield'",
    "YieldFrom": "'yield from'",
    "While": "a 'while' loop",
    "With": "a 'with' block",
    "AsyncWith": "an 'async with' block",
    "AsyncFor": "an 'async for' loop",
    "Try": "a 'try' block",
    "TryStar": "a 'try' block",
    "Match": "a 'match' block",
    "Raise": "'raise'",
    "Return": "'return'",
    "Global": "'global'",
    "Nonlocal": "'nonlocal'",
    "TypeAlias": "a 'type' statement",
}


class Frame:
    """The names that a file, or a comprehension inside it, sees.

    Args:
        file: The file that is evaluated.
        budget: What all files of one config may take together.
        parent: The frame around a comprehension.
    """

    __slots__ = ("base", "budget", "extras", "file", "imported", "marks", "names", "parent", "pure")

    def __init__(self, file: File, budget: Budget, parent: Frame | None = None) -> None:
        self.file = file
        self.budget = budget
        self.parent = parent
        self.names: dict[str, Any] = {}
        self.marks: dict[str, RawPlace] = {}
        # Gives the merged bases, for the name `_base_`; None where there is no such name.
        self.base: Callable[[], Any] | None = parent.base if parent else None
        # What a few dunder names stand for.
        self.extras: dict[str, Any] = parent.extras if parent else {}
        # The names that imports bind, and whether imports bind symbols only.
        self.imported: set[str] = parent.imported if parent else set()
        self.pure: bool = parent.pure if parent else False

    def value(self, node: ast.AST) -> Any:
        """What an expression comes to.

        Raises:
            ConfigError: It fails, or is not of the kind that is evaluated.
        """
        budget = self.budget
        budget.left -= 1
        try:
            if budget.left < 0:
                budget.spend(0)
            handle: Callable[[Frame, Any], Any] = EXPRESSIONS.get(node.__class__, unsupported)
            return handle(self, node)
        except ConfigError:
            raise
        except (RecursionError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a config's own mistake raises
            raise self.error(error, node) from None

    def run(self, statements: list[ast.stmt]) -> str | None:
        """Run a block.

        Returns:
            'break' or 'continue' where the block ended with that, else None.

        Raises:
            ConfigError: A statement fails, or is not of the kind that is evaluated.
        """
        budget = self.budget
        for node in statements:
            budget.left -= 1
            try:
                handle: Callable[[Frame, Any], str | None] = STATEMENTS.get(
                    node.__class__, unsupported
                )
                signal = handle(self, node)
            except (ConfigError, RecursionError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001
                raise self.error(error, node) from None
            if signal is not None:
                return signal
        return None

    def run_file(self, statements: list[ast.stmt]) -> None:
        """Run all statements of a file.

        Raises:
            ConfigError: One fails, is not of the kind that is evaluated, or leaves a loop that
                there is not.
        """
        for node in statements:
            signal = self.run([node])
            if signal is not None:
                raise self.error(Refusal(f"'{signal}' outside a loop"), node)

    def raw(self, node: Any) -> RawPlace:
        """Where a node starts."""
        return (self.file, node.lineno, node.col_offset)

    def place(self, node: Any) -> Place | None:
        """Where a node starts, as a place."""
        if not hasattr(node, "lineno"):
            return None
        return self.file.place(node.lineno, node.col_offset)

    def error(self, error: Exception, node: ast.AST) -> ConfigError:
        """What went wrong at a node, as an error of the config."""
        if isinstance(error, Refusal):
            message, hint = error.message, error.hint
        else:
            message, hint = _in_words(error), None
        if len(message) > _LONG_MESSAGE:
            message = f"{message[:_LONG_MESSAGE]}…"
        return ConfigError([Problem(message=message, place=self.place(node), hint=hint)])


def _in_words(error: Exception) -> str:
    text = str(error)
    for ours, theirs in (
        ("PlacedDict", "dict"), ("BaseDict", "dict"), ("PlacedList", "list"),
        ("PlacedTuple", "tuple"),
    ):  # fmt: skip
        text = text.replace(ours, theirs)
    name = error.__class__.__name__
    return f"{name}: {text}" if text else name


def unsupported(_: Frame, node: ast.AST) -> Any:
    """Refuse a construct by its name."""
    kind = node.__class__.__name__
    raise Refusal(f"{_CONSTRUCTS.get(kind, kind)} is not evaluated in a config", TRUST_HINT)
