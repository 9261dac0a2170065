"""The course of every setting over a training: what schedulers do to a plan."""

from __future__ import annotations

from optplan.schedule.courses import Courses, courses_of
from optplan.schedule.reading import Section, find_schedulers, scheduler_types
from optplan.schedule.schedule import Schedule, schedule_of
from optplan.schedule.training import Training, Unit, find_training

__all__ = [
    "Courses",
    "Schedule",
    "Section",
    "Training",
    "Unit",
    "courses_of",
    "find_schedulers",
    "find_training",
    "schedule_of",
    "scheduler_types",
]
