"""Read config files without executing them, and remember where each value was written.

``load_config`` gives a ``Config``, whose ``data`` is plain data; ``place_of`` tells where a key
or index of it was set last; an ``OptimizerConfig`` is an optimizer section, validated.
Imports errors, names, places and runtime, never torch.
"""

from __future__ import annotations

from optplan.config.batch import NO_BATCH, Batch, Scaling
from optplan.config.files.file_reader import DiskReader, Reader
from optplan.config.loading import Config, load_config
from optplan.config.namespace import Namespace, find_namespace
from optplan.config.optimizer import NO_SECTION, OptimizerConfig, SectionForm
from optplan.config.overrides import regroup_cfg_options
from optplan.config.own_model import OwnModel, without_weights
from optplan.config.placed import PlacedDict, PlacedList, PlacedTuple, place_of
from optplan.config.recognition import Recognition
from optplan.config.symbols import Symbol

__all__ = [
    "NO_BATCH",
    "NO_SECTION",
    "Batch",
    "Config",
    "DiskReader",
    "Namespace",
    "OptimizerConfig",
    "OwnModel",
    "PlacedDict",
    "PlacedList",
    "PlacedTuple",
    "Reader",
    "Recognition",
    "Scaling",
    "SectionForm",
    "Symbol",
    "find_namespace",
    "load_config",
    "place_of",
    "regroup_cfg_options",
    "without_weights",
]
