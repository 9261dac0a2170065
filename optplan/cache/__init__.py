"""What optplan keeps on disk between two runs, so that the second needs neither torch nor timm."""

from optplan.cache.folder import cache_folder
from optplan.cache.store import Entry, Store

__all__ = ["Entry", "Store", "cache_folder"]
