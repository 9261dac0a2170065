"""What optplan keeps on disk between two runs, so that the second needs neither torch nor timm."""

from optplan.cache.folder import cache_folder
from optplan.cache.store import CacheEntry, Store

__all__ = ["CacheEntry", "Store", "cache_folder"]
