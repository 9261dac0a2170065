"""The checks: one file each, and the tuple of them all."""

from __future__ import annotations

from optplan.checks.base import Check, Context, Finding
from optplan.checks.bias_decayed import BiasDecayed
from optplan.checks.constructor_mutates_model import ConstructorMutatesModel
from optplan.checks.declared_no_decay import DeclaredNoDecay
from optplan.checks.duplicate_parameter import DuplicateParameter
from optplan.checks.empty_group import EmptyGroup
from optplan.checks.expectation_broken import ExpectationBroken
from optplan.checks.false_depthwise import FalseDepthwise
from optplan.checks.floor_above_start import FloorAboveStart
from optplan.checks.fragmented_groups import FragmentedGroups
from optplan.checks.frozen_in_optimizer import FrozenInOptimizer
from optplan.checks.ignored_by_constructor import IgnoredByConstructor
from optplan.checks.inert_key_field import InertKeyField
from optplan.checks.inverted_decay import InvertedDecay
from optplan.checks.key_drops_rules import KeyDropsRules
from optplan.checks.layer_decay_off import LayerDecayOff
from optplan.checks.lr_not_final import LrNotFinal
from optplan.checks.lr_scale_unconsumed import LrScaleUnconsumed
from optplan.checks.mid_word_match import MidWordMatch
from optplan.checks.misplaced_paramwise import MisplacedParamwise
from optplan.checks.mmcv1_leftover import Mmcv1Leftover
from optplan.checks.no_base_value import NoBaseValue
from optplan.checks.norm_bias_by_bias_rule import NormBiasByBiasRule
from optplan.checks.norm_decayed import NormDecayed
from optplan.checks.plan_refused import PlanRefused
from optplan.checks.running_statistics_move import RunningStatisticsMove
from optplan.checks.schedule_beyond_training import ScheduleBeyondTraining
from optplan.checks.scheduler_flattens_groups import SchedulerFlattensGroups
from optplan.checks.scheduler_refused import SchedulerRefused
from optplan.checks.shadowed_key import ShadowedKey
from optplan.checks.tied_rule_conflict import TiedRuleConflict
from optplan.checks.uncovered_parameter import UncoveredParameter
from optplan.checks.unknown_constructor import UnknownConstructor
from optplan.checks.unknown_optimizer_argument import UnknownOptimizerArgument
from optplan.checks.unknown_option import UnknownOption
from optplan.checks.unmatched_key import UnmatchedKey
from optplan.checks.unread_group_entry import UnreadGroupEntry
from optplan.checks.unreadable_config import UnreadableConfig
from optplan.checks.unused_suppression import UnusedSuppression
from optplan.checks.unwrapped_module_child import UnwrappedModuleChild
from optplan.checks.warmup_from_zero import WarmupFromZero
from optplan.checks.wrapper_prefix import WrapperPrefix
from optplan.checks.zero_lr_not_frozen import ZeroLrNotFrozen

ALL_CHECKS: tuple[Check, ...] = (
    NoBaseValue(),
    MisplacedParamwise(),
    UnknownOptimizerArgument(),
    UnreadableConfig(),
    UnknownConstructor(),
    PlanRefused(),
    LrNotFinal(),
    Mmcv1Leftover(),
    UnknownOption(),
    InertKeyField(),
    UnmatchedKey(),
    IgnoredByConstructor(),
    MidWordMatch(),
    ShadowedKey(),
    KeyDropsRules(),
    UnwrappedModuleChild(),
    WrapperPrefix(),
    NormBiasByBiasRule(),
    NormDecayed(),
    BiasDecayed(),
    DeclaredNoDecay(),
    FalseDepthwise(),
    InvertedDecay(),
    LrScaleUnconsumed(),
    LayerDecayOff(),
    UncoveredParameter(),
    ZeroLrNotFrozen(),
    RunningStatisticsMove(),
    DuplicateParameter(),
    TiedRuleConflict(),
    FrozenInOptimizer(),
    ConstructorMutatesModel(),
    EmptyGroup(),
    UnreadGroupEntry(),
    SchedulerFlattensGroups(),
    FloorAboveStart(),
    ScheduleBeyondTraining(),
    WarmupFromZero(),
    SchedulerRefused(),
    FragmentedGroups(),
    ExpectationBroken(),
    UnusedSuppression(),
)

__all__ = ["ALL_CHECKS", "Check", "Context", "Finding"]
