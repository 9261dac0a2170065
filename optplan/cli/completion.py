"""Complete names of models and codes of checks in the shell, without importing torch or timm."""

from __future__ import annotations


def timm_names(incomplete: str) -> list[str]:
    """Return the names of timm's models that begin so, read from the source of the installed timm."""
    import re
    from pathlib import Path

    from optplan.runtime.installed import package_folder

    folder = package_folder("timm")
    if folder is None:
        return []
    registered = re.compile(r"^@register_model\ndef (\w+)", re.MULTILINE)
    texts = (path.read_text("utf-8") for path in Path(folder, "models").glob("*.py"))
    names = {name for text in texts for name in registered.findall(text)}
    return sorted(name for name in names if name.startswith(incomplete))


def check_codes(incomplete: str) -> list[tuple[str, str]]:
    """Return the codes of checks that begin so, each with the check's name."""
    from optplan.checks import ALL_CHECKS

    found = ((check.code, check.name) for check in ALL_CHECKS)
    return sorted(one for one in found if one[0].startswith(incomplete.upper()))
