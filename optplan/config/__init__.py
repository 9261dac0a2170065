"""Reads config files without executing them, and knows where each value was written.

``load_config`` gives a ``Config``, whose ``data`` is plain data; ``place_of`` tells where a key
or index of it was set last; ``find_optimizer`` finds and validates the optimizer section.
"""

from __future__ import annotations

from optplan.config.loading import Config, load_config
from optplan.config.namespace import Namespace, find_namespace
from optplan.config.optimizer import Form, OptimizerConfig, find_optimizer, section_name
from optplan.config.overrides import regroup_cfg_options
from optplan.config.placed import PlacedDict, PlacedList, PlacedTuple, place_of
from optplan.config.reading import DiskReader, Reader
from optplan.config.symbols import Symbol

__all__ = [
    "Config",
    "DiskReader",
    "Form",
    "Namespace",
    "OptimizerConfig",
    "PlacedDict",
    "PlacedList",
    "PlacedTuple",
    "Reader",
    "Symbol",
    "find_namespace",
    "find_optimizer",
    "load_config",
    "place_of",
    "regroup_cfg_options",
    "section_name",
]
