"""List the conditions of each ``*_mult`` option in the order that options are tried, with the words for each.

A condition asks ``ParameterFacts``. There is a table for each set of rules; ``rule_sets`` says who uses which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from optplan.errors import quoted
from optplan.facts import ParameterFacts


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact that a rule asks for, and how ``explain`` words it.

    Args:
        holds: The test.
        otherwise: What to say where it does not hold.
        because: What to say of a rule that won, '' where it goes without saying.
    """

    holds: Callable[[ParameterFacts], bool]
    otherwise: Callable[[ParameterFacts], str]
    because: Callable[[ParameterFacts], str] = lambda _: ""


_IS_BIAS = Condition(
    lambda facts: facts.local == "bias",
    lambda facts: f"its own name is {quoted(facts.local)}, not 'bias'",
    lambda _: "its own name is 'bias'",
)
_OWNER_IS_NORM = Condition(
    lambda facts: facts.owner_is_norm,
    lambda facts: f"{facts.owner_class} is not one of the classes that norm_decay_mult knows",
    lambda facts: f"{facts.owner_class} is a norm",
)
_OWNER_IS_NO_NORM = Condition(
    lambda facts: not facts.owner_is_norm,
    lambda facts: f"bias_lr_mult leaves norms out, and {facts.owner_class} is one",
)
_PARENT_IS_DCN = Condition(
    lambda facts: facts.parent_is_dcn,
    lambda _: "its module does not stand in a deformable convolution",
    lambda _: "its module stands in a deformable convolution",
)
_PARENT_IS_NO_DCN = Condition(
    lambda facts: not facts.parent_is_dcn,
    lambda _: "its module stands in a deformable convolution",
)
_IN_CONV_OFFSET = Condition(
    lambda facts: "conv_offset" in facts.prefix,
    lambda facts: f"'conv_offset' is not in {quoted(facts.prefix)}",
    lambda _: "'conv_offset' is in its path",
)
_OWNER_IS_CONV2D = Condition(
    lambda facts: facts.owner_is_conv2d,
    lambda facts: f"{facts.owner_class} is not a Conv2d",
)
_OWNER_IS_NOT_TAKEN = Condition(
    lambda facts: not (facts.owner_is_norm or facts.owner_is_depthwise),
    lambda facts: (
        f"{facts.owner_class} is a norm, whose biases go by norm_decay_mult alone"
        if facts.owner_is_norm
        else f"its {facts.owner_class} is depthwise, whose biases go by dwconv_decay_mult alone"
    ),
)
_OWNER_IS_DEPTHWISE = Condition(
    lambda facts: facts.owner_is_depthwise,
    lambda facts: f"its {facts.owner_class} is not a Conv2d with in_channels == groups",
    lambda facts: f"its {facts.owner_class} has in_channels == groups",
)
_IS_FLAT = Condition(
    lambda facts: len(facts.shape) == 1,
    lambda facts: f"it has {len(facts.shape)} dimensions, not 1",
    lambda _: "it has one dimension",
)

# The first rule of each table that is switched on and whose conditions all hold decides.
LR_RULES: Mapping[str, tuple[Condition, ...]] = MappingProxyType(
    {
        "dcn_offset_lr_mult": (_PARENT_IS_DCN, _IN_CONV_OFFSET, _OWNER_IS_CONV2D),
        "bias_lr_mult": (_IS_BIAS, _OWNER_IS_NO_NORM, _PARENT_IS_NO_DCN),
    },
)
WEIGHT_DECAY_RULES: Mapping[str, tuple[Condition, ...]] = MappingProxyType(
    {
        "norm_decay_mult": (_OWNER_IS_NORM,),
        "bias_decay_mult": (_IS_BIAS, _PARENT_IS_NO_DCN),
        "dwconv_decay_mult": (_OWNER_IS_DEPTHWISE,),
        "flat_decay_mult": (_IS_FLAT, _PARENT_IS_NO_DCN),
    },
)
# mmcv 1.x: the first kind of module that fits decides, whether its own option is set or not
WEIGHT_DECAY_RULES_OF_MMCV1: Mapping[str, tuple[Condition, ...]] = MappingProxyType(
    {
        "norm_decay_mult": (_OWNER_IS_NORM,),
        "dwconv_decay_mult": (_OWNER_IS_DEPTHWISE,),
        "bias_decay_mult": (_IS_BIAS, _OWNER_IS_NOT_TAKEN, _PARENT_IS_NO_DCN),
    },
)
# mmpretrain's layer decay asks neither for deformable convolutions nor for depthwise ones
WEIGHT_DECAY_RULES_OF_MMPRETRAIN: Mapping[str, tuple[Condition, ...]] = MappingProxyType(
    {
        "norm_decay_mult": (_OWNER_IS_NORM,),
        "bias_decay_mult": (_IS_BIAS,),
        "flat_decay_mult": (_IS_FLAT,),
    },
)
