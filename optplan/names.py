"""The closed vocabularies: light enough for the command line's help."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """What can decide a learning rate or a weight decay."""

    CUSTOM_KEY = "custom_key"
    NORM = "norm"
    BIAS = "bias"
    DWCONV = "dwconv"
    DCN_OFFSET = "dcn_offset"
    FLAT = "flat"
    LAYER_DECAY = "layer_decay"
    NO_WEIGHT_DECAY = "no_weight_decay"
    REGEX = "regex"
    CONSTRUCTOR = "constructor"
    SET = "set"
    DEFAULT = "default"


class Status(StrEnum):
    """How a parameter stands to the optimizer."""

    OPTIMIZED = "optimized"
    FROZEN = "frozen"
    DUPLICATE = "duplicate"
    UNCOVERED = "uncovered"


class LayerSource(StrEnum):
    """Who says which layer a parameter is in."""

    GET_LAYER_DEPTH = "get_layer_depth"
    GROUP_MATCHER = "group_matcher"
    LAYERS = "layers"


class Matcher(StrEnum):
    """How a regular expression is held against a name."""

    SEARCH = "search"
    PREFIX = "prefix-anchored"
    FULL = "full"


class ProblemKind(StrEnum):
    """Kinds of problems that a check of their own reports, wherever they come to light."""

    NO_BASE_VALUE = "no base value"
    MISPLACED = "misplaced"
    UNKNOWN_ARGUMENT = "unknown argument"
    UNKNOWN_CONSTRUCTOR = "unknown constructor"
    TIED = "tied"
    UNMATCHED = "unmatched"
    REFUSED = "refused"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
