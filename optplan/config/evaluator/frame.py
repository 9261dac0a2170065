"""The scope that a file or comprehension is evaluated in, and the table of known syntax nodes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from optplan.config.limits import Refusal
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optplan.config.limits import StepCounter
    from optplan.config.placed import File, RawPlace
    from optplan.places import Place

# A message may quote a key that the config computed.
_LONG_MESSAGE = 500
TRUST_HINT = "pass --trust to execute the file instead"

Handler: TypeAlias = "Callable[[Frame, Any], Any]"
# How each kind of syntax node is evaluated; the package joins the tables of its modules here.
HANDLERS: dict[type[ast.AST], Handler] = {}

_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.AsyncFor: "an 'async for' loop",
    ast.AsyncWith: "an 'async with' block",
    ast.AsyncFunctionDef: "an async function",
    ast.Await: "'await'",
    ast.Break: "'break'",
    ast.ClassDef: "a class definition",
    ast.Continue: "'continue'",
    ast.FunctionDef: "a function definition",
    ast.Global: "'global'",
    ast.Lambda: "a lambda",
    ast.Match: "a 'match' block",
    ast.NamedExpr: "an assignment expression (:=)",
    ast.Nonlocal: "'nonlocal'",
    ast.Raise: "'raise'",
    ast.Return: "'return'",
    ast.Try: "a 'try' block",
    ast.While: "a 'while' loop",
    ast.With: "a 'with' block",
    ast.Yield: "'yield'",
    ast.YieldFrom: "'yield from'",
}


class Frame:
    """The names that a file, or a comprehension inside it, sees.

    Args:
        file: The file that is evaluated.
        steps: The step counter that all files of one config share.
        parent: The frame around a comprehension.
    """

    __slots__ = ("base", "extras", "file", "imported", "marks", "names", "parent", "pure", "steps")

    def __init__(self, file: File, steps: StepCounter, parent: Frame | None = None) -> None:
        self.file = file
        self.steps = steps
        self.parent = parent
        self.names: dict[str, Any] = {}
        # Where each name was bound.
        self.marks: dict[str, RawPlace] = {}
        # Returns the merged bases, for the name `_base_`; None where there is no such name.
        self.base: Callable[[], Any] | None = parent.base if parent else None
        # The values of a few dunder names.
        self.extras: dict[str, Any] = parent.extras if parent else {}
        # The names that imports bind, and whether the file is in the pure-Python style.
        self.imported: set[str] = parent.imported if parent else set()
        self.pure: bool = parent.pure if parent else False

    def value(self, node: ast.AST) -> Any:
        """Evaluate an expression or statement.

        Raises:
            ConfigError: It fails, or its syntax is not supported.
        """
        steps = self.steps
        steps.left -= 1
        try:
            if steps.left < 0:
                steps.charge(0)
            handler: Handler = HANDLERS.get(node.__class__, unsupported)
            return handler(self, node)
        except (ConfigError, RecursionError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a mistake in the config raises
            raise self.error(error, node) from None

    def run(self, statements: list[ast.stmt]) -> None:
        """Run a block of statements.

        Raises:
            ConfigError: A statement fails, or its syntax is not supported.
        """
        for node in statements:
            self.value(node)

    def scopes(self) -> Iterator[Frame]:
        """Yield this frame and those around it, innermost first."""
        scope: Frame | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def raw(self, node: Any) -> RawPlace:
        """Return where a node starts."""
        return (self.file, node.lineno, node.col_offset)

    def place(self, node: Any) -> Place | None:
        """Return where a node starts, as a place."""
        if not hasattr(node, "lineno"):
            return None
        return self.file.place(node.lineno, node.col_offset)

    def error(self, error: Exception, node: ast.AST) -> ConfigError:
        """Return what went wrong at a node, as an error of the config."""
        if isinstance(error, Refusal):
            message, hint = error.message, error.hint
        else:
            message, hint = _described(error), None
        if len(message) > _LONG_MESSAGE:
            message = f"{message[:_LONG_MESSAGE]}…"
        return ConfigError(message, place=self.place(node), hint=hint)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is being evaluated.

    Args:
        frame: The frame that it is evaluated in.
        raw: Where it stands.
        places: Where its arguments stand, by number or name.
    """

    frame: Frame
    raw: RawPlace
    places: dict[Any, RawPlace]


def _described(error: Exception) -> str:
    text = str(error).lstrip("_")  # of our functions, whose names begin with it
    for ours, public in (
        ("PlacedDict", "dict"), ("BaseDict", "dict"), ("PlacedList", "list"), ("PlacedTuple", "tuple"),
    ):  # fmt: skip
        text = text.replace(ours, public)
    name = error.__class__.__name__
    return f"{name}: {text}" if text else name


def unsupported(_: Frame, node: ast.AST) -> NoReturn:
    """Refuse a syntax node that configs cannot use.

    Raises:
        Refusal: Always.
    """
    name = _CONSTRUCTS.get(node.__class__, node.__class__.__name__)
    raise Refusal(f"{name} is not evaluated in a config", TRUST_HINT)
