"""A hostile file, and what goes with it."""

from __future__ import annotations

import marshal
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field

SGD = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1))\n"
# A config with nothing hostile, and a mistake that is to be reported.
GOOD = """\
model = dict(type='dangerous_nets.nets.Fine')
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1), paramwise_cfg=dict(custom_keys={'nope': dict(lr_mult=0.1)}))
"""
GOOD_FINDING = "key 'nope' matches no parameter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A hostile config.

    Args:
        name: A word that is unique; ``q7x_NAME`` is in every path, host and text that it names.
        text: Its text, ``{token}`` and the names of folders in braces being replaced.
        says: What a message about it must contain: the name of what was refused. Any of several.
        files: Further files.
        suffix: That of the config's file.
    """

    name: str
    text: str
    says: str | tuple[str, ...]
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    suffix: str = ".py"

    @property
    def token(self) -> str:
        """What marks all that it causes."""
        return f"q7x_{self.name}"

    @property
    def words(self) -> tuple[str, ...]:
        """What a message about it must contain one of."""
        words = (self.says,) if isinstance(self.says, str) else self.says
        return tuple(word.replace("{token}", self.token) for word in words)

    @property
    def file(self) -> str:
        """The config's name."""
        return f"bad_{self.name}{self.suffix}"

    @property
    def all_files(self) -> dict[str, str | bytes]:
        """All files, by name."""
        files = {
            name.replace("{token}", self.token): self._filled(v) for name, v in self.files.items()
        }
        return {self.file: self._filled(self.text), **files}

    def _filled(self, content: str | bytes) -> str | bytes:
        return content if isinstance(content, bytes) else content.replace("{token}", self.token)


class _Harm:
    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self._command,)


def harmful_pickle(name: str) -> bytes:
    """Return a pickle that starts a shell."""
    return pickle.dumps(_Harm(f"mkdir q7x_{name}"))


def harmful_code(name: str) -> str:
    """Return marshalled code that makes a folder, in hexadecimal."""
    return marshal.dumps(compile(f"import os; os.mkdir('q7x_{name}')", "<string>", "exec")).hex()


def python_code(name: str) -> str:
    """Return the text of a module that leaves a trace."""
    return f"import os\nos.mkdir('q7x_{name}')\nclass Net: pass\n"
