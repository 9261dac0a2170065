"""Read the versions of the packages that take part in a plan."""

from __future__ import annotations

from functools import cache
from importlib import metadata

from optplan.version import __version__


def versions() -> dict[str, str | None]:
    """Return the versions of optplan, torch and timm, without importing them."""
    return {"optplan": __version__, **{name: _version(name) for name in ("torch", "timm")}}


@cache  # reading it takes 4 ms, as long as planning a small model
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
