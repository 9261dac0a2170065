"""Hold a running training against a saved plan, from inside the trainer that runs it.

Turns a plan's file, a model and an optimizer into an error that names what differs. May import torch.
"""

from __future__ import annotations

from optplan.guard.plan_guard import PlanGuard

__all__ = ["PlanGuard"]
