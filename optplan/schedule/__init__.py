"""Work out the value of every setting at each step of a training: what schedulers do to a plan.

Turns a plan and schedulers as written into trajectories. Imports plan and config; torch in ``foreign`` alone.
"""

from __future__ import annotations

from optplan.callable_module import make_callable
from optplan.schedule.schedule import Schedule, schedule_of
from optplan.schedule.training import Training, Unit
from optplan.schedule.trajectories import Trajectories, courses_of
from optplan.schedule.written import Section, types_in

# optplan.schedule is a function, too: Python looks for both under one name
make_callable(__name__, "optplan.app.python")

__all__ = [
    "Schedule",
    "Section",
    "Training",
    "Trajectories",
    "Unit",
    "courses_of",
    "schedule_of",
    "types_in",
]
