"""Reads config files without executing them, and knows where each value was written.

``load_config`` gives a ``Config``, whose ``data`` is plain data; ``place_of`` tells where a key
or index of it was set last; ``find_optimizer`` finds and validates the optimizer section.
"""

from __future__ import annotations

from optplan.config.batch import NO_BATCH, Batch, Scaling, find_scaling
from optplan.config.files.file_reader import DiskReader, Reader
from optplan.config.functions import FunctionConfig, load_config_file, load_function, names_function
from optplan.config.generation import Generation, Recognized, is_mmcv1, recognized
from optplan.config.loading import Config, load_config
from optplan.config.namespace import Namespace, find_namespace
from optplan.config.optimizer import (
    NO_SECTION,
    OptimizerConfig,
    SectionForm,
    find_optimizer,
    find_sections,
    named_sections,
    section_names,
)
from optplan.config.overrides import regroup_cfg_options
from optplan.config.own_model import OwnModel, find_own_model, without_weights
from optplan.config.placed import PlacedDict, PlacedList, PlacedTuple, place_of
from optplan.config.symbols import Symbol

__all__ = [
    "NO_BATCH",
    "NO_SECTION",
    "Batch",
    "Config",
    "DiskReader",
    "FunctionConfig",
    "Generation",
    "Namespace",
    "OptimizerConfig",
    "OwnModel",
    "PlacedDict",
    "PlacedList",
    "PlacedTuple",
    "Reader",
    "Recognized",
    "Scaling",
    "SectionForm",
    "Symbol",
    "find_namespace",
    "find_optimizer",
    "find_own_model",
    "find_scaling",
    "find_sections",
    "is_mmcv1",
    "load_config",
    "load_config_file",
    "load_function",
    "named_sections",
    "names_function",
    "place_of",
    "recognized",
    "regroup_cfg_options",
    "section_names",
    "without_weights",
]
