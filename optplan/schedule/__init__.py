"""The course of every setting over a training: what schedulers do to a plan."""

from __future__ import annotations

from optplan.schedule.read_schedulers import Section, find_schedulers, scheduler_types
from optplan.schedule.schedule import Schedule, schedule_of
from optplan.schedule.training import Training, Unit, find_training
from optplan.schedule.trajectories import Trajectories, courses_of

__all__ = [
    "Schedule",
    "Section",
    "Training",
    "Trajectories",
    "Unit",
    "courses_of",
    "find_schedulers",
    "find_training",
    "schedule_of",
    "scheduler_types",
]
