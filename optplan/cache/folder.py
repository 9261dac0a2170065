"""Find the folder of the cache."""

from __future__ import annotations

import os

VARIABLE = "OPTPLAN_CACHE_DIR"


def cache_folder() -> str:
    """Return the folder that ``OPTPLAN_CACHE_DIR`` names, else the platform's folder for caches."""
    named = os.environ.get(VARIABLE)
    if named:
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_cache_dir

    return user_cache_dir("optplan", appauthor=False)
