"""What a config was recognized as, and by which of its entries."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What only configs have at their top.
SIGN_OF_CONFIG = re.compile(
    r"^(?:_base_\s*=\s*[\['\"(]|(?:optim_wrapper|optimizer)\s*=\s*(?:dict\b|\{)"
    r"|with\s+read_base\b)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """A dialect that a config is written in.

    Args:
        dialect: The dialect's name.
        title: What reports call it.
        because: The entries of the config that tell, or the option that says so.
    """

    dialect: str
    title: str
    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.title}: {', '.join(self.because)}"
