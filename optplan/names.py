"""Define the closed sets of words, such as rules and statuses, and which option switches on which rule.

Light enough to import for the command line's help.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Rule(StrEnum):
    """What can decide a learning rate or a weight decay, each with the colour that it is shown in."""

    style: str

    def __new__(cls, value: str, style: str = "") -> Self:
        """Make a member of a name and a colour."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.style = style
        return member

    CUSTOM_KEY = "custom_key", "cyan"
    NORM = "norm", "green"
    BIAS = "bias", "yellow"
    DWCONV = "dwconv", "magenta"
    DCN_OFFSET = "dcn_offset", "blue"
    FLAT = "flat", "bright_magenta"
    LAYER_DECAY = "layer_decay", "bright_cyan"
    NO_WEIGHT_DECAY = "no_weight_decay", "bright_blue"
    REGEX = "regex", "bright_green"
    CONSTRUCTOR = "constructor", "red"
    SET = "set", "red"
    DEFAULT = "default", ""


# The options of ``paramwise_cfg`` that multiply a base value, with the rule that each switches on.
# ``rules/conditions.py`` says what each asks of a parameter.
LR_OPTIONS = {"bias_lr_mult": Rule.BIAS, "dcn_offset_lr_mult": Rule.DCN_OFFSET}
WEIGHT_DECAY_OPTIONS = {
    "norm_decay_mult": Rule.NORM,
    "bias_decay_mult": Rule.BIAS,
    "dwconv_decay_mult": Rule.DWCONV,
    "flat_decay_mult": Rule.FLAT,
}


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
