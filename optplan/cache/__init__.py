"""Keep on disk between two runs what optplan needs to plan, so that the second needs neither torch nor timm.

Turns inventories and optimizer defaults into files and back. Imports facts, hf_specs and runtime, never torch.
"""

from optplan.cache.store import CacheEntry, Store, cache_folder

__all__ = ["CacheEntry", "Store", "cache_folder"]
