"""``X.py:attr``: a function of the user's own, which makes param groups or optimizers, as a config."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optplan.config.loading import Config
from optplan.config.optimizer import OPTIMIZER
from optplan.config.overrides import apply_overrides
from optplan.config.placed import placed_dict
from optplan.errors import ConfigError
from optplan.places import Source
from optplan.user_code import user_attribute


@dataclass(frozen=True, kw_only=True, eq=False)
class FunctionConfig(Config):
    """A function in the place of a config; its data is what overrides have set.

    Args:
        function: Takes the model, and gives groups, an optimizer or several.
        name: What the file calls it.
    """

    function: Callable[..., Any]
    name: str


def names_function(word: str) -> bool:
    """Whether a word of the command line is ``X.py:attr``, and there is such a file."""
    file, _, attr = word.rpartition(":")
    return file.endswith(".py") and bool(attr) and "\0" not in word and Path(file).is_file()


def load_function(word: str, *, overrides: Sequence[str] = ()) -> FunctionConfig:
    """Run the file that ``X.py:attr`` names, which is the user's consent, and find the function in it.

    Args:
        word: The word.
        overrides: ``optimizer.lr=0.1``: the optimizer that groups are for, where the function makes only
            groups.

    Raises:
        ConfigError: The file raises, or there is no such function in it.
    """
    file, _, attr = word.rpartition(":")
    found = user_attribute(file, attr, ConfigError)
    if not callable(found) or isinstance(found, type):
        raise ConfigError(
            f"{word!r} is a {type(found).__name__}, not a function that takes the model"
        )
    text = Path(file).read_text("utf-8", errors="replace")
    data = placed_dict({OPTIMIZER: placed_dict((), {})}.items(), {OPTIMIZER: None})
    _refuse_other_overrides(word, overrides)
    apply_overrides(data, overrides)
    if not data[OPTIMIZER]:
        data = placed_dict((), {})
    source = Source(name=Path(file).name, path=file, text=text)
    return FunctionConfig(
        data=data, entry=source, sources=(source,), trusted=True, function=found, name=attr
    )


def _refuse_other_overrides(word: str, overrides: Sequence[str]) -> None:
    """Refuse what is not an entry of the optimizer.

    Raises:
        ConfigError: There is such an override.
    """
    for override in overrides:
        path = override.partition("=")[0].strip()
        if not path.startswith(f"{OPTIMIZER}."):
            raise ConfigError(
                f"--set {override}: {word!r} is a function, which has no entry {path!r}",
                hint="--set optimizer.type=SGD, optimizer.lr=0.1 and so on choose the optimizer for the"
                " param groups that a function returns",
            )
