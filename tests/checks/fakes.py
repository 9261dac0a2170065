"""Checks small enough to foresee, for the tests of what is around checks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optplan.checks import Check, Context, Finding
from optplan.checks.catalog.expectation_broken import ExpectationBroken
from optplan.checks.catalog.unmatched_key import UnmatchedKey
from optplan.checks.catalog.unreadable_config import UnreadableConfig
from optplan.checks.catalog.unused_suppression import UnusedSuppression
from optplan.config import place_of
from optplan.names import Severity


def custom_keys(context: Context) -> Mapping[str, Any]:
    return {} if context.section is None else context.section.paramwise.get("custom_keys", {})


class BadKey(Check):
    """A custom key that begins with ``bad``. A warning for ``bad_w``, an info for ``bad_i``."""

    code = "OPT107"
    name = "bad-key"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        keys = custom_keys(context)
        for key in keys:
            if key.startswith("bad"):
                severity = {"bad_w": Severity.WARNING, "bad_i": Severity.INFO}.get(key[:5])
                yield self.finding(
                    f"key {key!r} is bad",
                    key=f"custom_keys.{key}",
                    place=place_of(keys, key),
                    severity=severity,
                )


class UnknownField(Check):
    """A field of a custom key that is neither known nor allowed."""

    code = "OPT102"
    name = "unknown-field"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        for key, fields in custom_keys(context).items():
            for field in fields:
                if field not in {"lr_mult", "decay_mult"} | context.allow_group_keys:
                    yield self.finding(
                        f"field {field!r} is unknown",
                        key=f"custom_keys.{key}.{field}",
                        place=place_of(fields, field),
                    )


class OnRequest(Check):
    """An opt-in check: it finds every config."""

    code = "OPT106"
    name = "on-request"
    severity = Severity.INFO
    needs_plan = False
    opt_in = True

    def run(self, context: Context) -> Iterator[Finding]:
        yield self.finding("here is a config", key="config")


class Crash(Check):
    """A check with a bug."""

    code = "OPT110"
    name = "crash"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        if "crash" in custom_keys(context):
            raise KeyError("crash")
        yield from ()


class Slow(Check):
    """A check that takes its time, and leaves a file that names its process."""

    code = "OPT111"
    name = "slow"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        if "slow" in custom_keys(context):
            Path(f"process.{os.getpid()}").touch()
            time.sleep(0.3)
        yield from ()


FAKES: tuple[Check, ...] = (
    UnreadableConfig(),
    UnknownField(),
    UnmatchedKey(),
    OnRequest(),
    BadKey(),
    Crash(),
    Slow(),
    ExpectationBroken(),
    UnusedSuppression(),
)
