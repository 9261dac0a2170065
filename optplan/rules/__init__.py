"""Decide which rule wins for a parameter, and word why.

Turns plain facts and options into decisions, candidates and counts. Imports config, facts and names; never torch.
"""

from optplan.rules.decide import decide, trace
from optplan.rules.decision import Candidate, Decision, Outcome, Skipped, Tracer
from optplan.rules.options import KeyRule, Options, Verdict, make_options, read_options
from optplan.rules.rule_sets import (
    BYPASS,
    DEFAULT_RULES,
    LAYER_DECAY_RULES,
    MMCV1_RULES,
    MMPRETRAIN_RULES,
    RuleSet,
)

__all__ = [
    "BYPASS",
    "DEFAULT_RULES",
    "LAYER_DECAY_RULES",
    "MMCV1_RULES",
    "MMPRETRAIN_RULES",
    "Candidate",
    "Decision",
    "KeyRule",
    "Options",
    "Outcome",
    "RuleSet",
    "Skipped",
    "Tracer",
    "Verdict",
    "decide",
    "make_options",
    "read_options",
    "trace",
]
