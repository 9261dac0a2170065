"""Find mistakes in configs and plans.

Turns configs and plans into findings: each check is a module of ``catalog`` and an entry of ``ALL_CHECKS``.
Imports dialects, schedule, plan and what is below them, never app or torch.
"""

from __future__ import annotations

from optplan.checks.base import Check, Context, Finding
from optplan.checks.catalog.bias_decayed import BiasDecayed
from optplan.checks.catalog.constructor_mutates_model import ConstructorMutatesModel
from optplan.checks.catalog.decay_without_effect import DecayWithoutEffect
from optplan.checks.catalog.declared_no_decay import DeclaredNoDecay
from optplan.checks.catalog.duplicate_parameter import DuplicateParameter
from optplan.checks.catalog.empty_group import EmptyGroup
from optplan.checks.catalog.expectation_broken import ExpectationBroken
from optplan.checks.catalog.false_depthwise import FalseDepthwise
from optplan.checks.catalog.floor_above_start import FloorAboveStart
from optplan.checks.catalog.fragmented_groups import FragmentedGroups
from optplan.checks.catalog.frozen_in_optimizer import FrozenInOptimizer
from optplan.checks.catalog.ignored_by_constructor import IgnoredByConstructor
from optplan.checks.catalog.inert_key_field import InertKeyField
from optplan.checks.catalog.inverted_decay import InvertedDecay
from optplan.checks.catalog.key_drops_rules import KeyDropsRules
from optplan.checks.catalog.layer_decay_off import LayerDecayOff
from optplan.checks.catalog.lr_not_final import LrNotFinal
from optplan.checks.catalog.lr_scale_unconsumed import LrScaleUnconsumed
from optplan.checks.catalog.matrix_spared_by_name import MatrixSparedByName
from optplan.checks.catalog.mid_word_match import MidWordMatch
from optplan.checks.catalog.misplaced_paramwise import MisplacedParamwise
from optplan.checks.catalog.mmcv1_leftover import Mmcv1Leftover
from optplan.checks.catalog.no_base_value import NoBaseValue
from optplan.checks.catalog.norm_bias_by_bias_rule import NormBiasByBiasRule
from optplan.checks.catalog.norm_decayed import NormDecayed
from optplan.checks.catalog.plan_refused import PlanRefused
from optplan.checks.catalog.running_statistics_move import RunningStatisticsMove
from optplan.checks.catalog.schedule_beyond_training import ScheduleBeyondTraining
from optplan.checks.catalog.scheduler_flattens_groups import SchedulerFlattensGroups
from optplan.checks.catalog.scheduler_refused import SchedulerRefused
from optplan.checks.catalog.shadowed_key import ShadowedKey
from optplan.checks.catalog.tied_rule_conflict import TiedRuleConflict
from optplan.checks.catalog.uncovered_parameter import UncoveredParameter
from optplan.checks.catalog.unknown_constructor import UnknownConstructor
from optplan.checks.catalog.unknown_optimizer_argument import UnknownOptimizerArgument
from optplan.checks.catalog.unknown_option import UnknownOption
from optplan.checks.catalog.unmatched_key import UnmatchedKey
from optplan.checks.catalog.unread_group_entry import UnreadGroupEntry
from optplan.checks.catalog.unreadable_config import UnreadableConfig
from optplan.checks.catalog.unsuited_to_orthogonalization import UnsuitedToOrthogonalization
from optplan.checks.catalog.unused_suppression import UnusedSuppression
from optplan.checks.catalog.unwrapped_module_child import UnwrappedModuleChild
from optplan.checks.catalog.warmup_from_zero import WarmupFromZero
from optplan.checks.catalog.wrapper_prefix import WrapperPrefix
from optplan.checks.catalog.zero_lr_not_frozen import ZeroLrNotFrozen

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
    MatrixSparedByName(),
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
    UnsuitedToOrthogonalization(),
    SchedulerFlattensGroups(),
    FloorAboveStart(),
    ScheduleBeyondTraining(),
    WarmupFromZero(),
    SchedulerRefused(),
    DecayWithoutEffect(),
    FragmentedGroups(),
    ExpectationBroken(),
    UnusedSuppression(),
)

__all__ = ["ALL_CHECKS", "Check", "Context", "Finding"]
