"""Find the models that the project of the current folder names for its configs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from optplan.checks import ALL_CHECKS
from optplan.checks.paths import fits
from optplan.checks.tool_config import Target, ToolConfig
from optplan.checks.tool_config_file import ToolConfigFinder
from optplan.config import Config
from optplan.errors import UsageError, listed


def target_of_config(config: Config) -> Target | None:
    """Return the target of the current folder's ``pyproject.toml`` that a config belongs to.

    As in ``optplan check``, but for one model only: there is one report.

    Raises:
        ConfigError: The settings are wrong.
        UsageError: Several targets name a model for it.
    """
    settings = ToolConfigFinder(ALL_CHECKS).here()
    found = [target for target in settings.targets if _is_for(target, config, settings)]
    models = {(target.model, repr(target.arguments)): target for target in found}
    if len(models) > 1:
        named = [
            f"{one.model} (line {one.location.line})" for one in models.values() if one.location
        ]
        raise UsageError(
            f"which model? {settings.file} names {len(models)} for {_shown(config)}: {listed(named)}",
            hint=f"choose one: --model {found[0].model}",
        )
    return found[0] if found else None


def _is_for(target: Target, config: Config, settings: ToolConfig) -> bool:
    return any(
        fits(glob, path, settings.folder) for glob in target.configs for path in _paths(config)
    )


def _shown(config: Config) -> str:
    return next(_paths(config), config.entry.name)


def _paths(config: Config) -> Iterator[str]:
    """Yield what settings may call a config."""
    if config.word:
        yield config.word
    path = config.entry.path
    if path is None:
        return
    _, colon, inside = path.partition(":/")
    if not colon or Path(path).exists():
        yield path
    elif not inside.startswith("/") and (top := _top_of_repository()):  # as load_revision names it
        yield str(top / inside)


def _top_of_repository() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
