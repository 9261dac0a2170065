"""Which rule wins: plain facts and options in, decisions out."""

from optplan.rules.decide import Candidate, Decision, Outcome, Skipped, decide, trace
from optplan.rules.options import (
    LR_OPTIONS,
    WEIGHT_DECAY_OPTIONS,
    KeyRule,
    Options,
    Verdict,
    make_options,
)

__all__ = [
    "LR_OPTIONS",
    "WEIGHT_DECAY_OPTIONS",
    "Candidate",
    "Decision",
    "KeyRule",
    "Options",
    "Outcome",
    "Skipped",
    "Verdict",
    "decide",
    "make_options",
    "trace",
]
