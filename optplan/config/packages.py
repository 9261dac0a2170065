"""Finds the folder of an installed package without importing anything of it."""

from __future__ import annotations

import os
import sys
from functools import cache


@cache
def site_folders() -> tuple[str, ...]:
    """The folders that installed distributions live in, in their order on the import path."""
    import site
    import sysconfig

    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    folders += site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    known = {os.path.realpath(folder) for folder in folders}
    on_path = [folder for folder in sys.path if os.path.realpath(folder) in known]
    return tuple(dict.fromkeys(on_path))


def package_folder(name: str) -> str | None:
    """The folder of an installed top-level package, or None where there is none.

    Only installed distributions count (an editable install does), never the current folder,
    the config's folder or PYTHONPATH.
    """
    if not name.isidentifier():
        return None
    for site_folder in site_folders():
        folder = os.path.join(site_folder, name)
        if os.path.isdir(folder):
            return folder
    return _editable_folder(name)


def _editable_folder(name: str) -> str | None:
    for root in _editable_roots():
        for folder in (os.path.join(root, name), os.path.join(root, "src", name)):
            if os.path.isdir(folder):
                return folder
    return None


def _editable_roots() -> list[str]:
    import json
    from importlib.metadata import distributions
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    roots = []
    for distribution in distributions(path=list(site_folders())):
        text = distribution.read_text("direct_url.json")
        if not text or '"editable"' not in text:
            continue
        origin = json.loads(text)
        if origin.get("dir_info", {}).get("editable") and origin["url"].startswith("file:"):
            roots.append(url2pathname(urlparse(origin["url"]).path))
    return roots


def package_config(name: str, path: str) -> str | None:
    """The file that ``name::path`` means, or None where the package has no such config."""
    folder = package_folder(name)
    if folder is None:
        return None
    for configs in (os.path.join(folder, ".mim", "configs"), os.path.join(folder, "configs")):
        found = os.path.normpath(os.path.join(configs, path))
        if found.startswith(configs + os.sep) and os.path.isfile(found):
            return found
    return None
