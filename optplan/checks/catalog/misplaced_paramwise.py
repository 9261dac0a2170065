"""OPT002: a paramwise_cfg where nothing reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.config import SectionForm, place_of
from optplan.names import Severity

_NAME = "paramwise_cfg"
_BESIDE = "put it beside 'optimizer', inside 'optim_wrapper'"
_INSIDE = "put it inside 'optimizer'"


class MisplacedParamwise(Check):
    """A ``paramwise_cfg`` that stands where nothing reads it, or where it reaches the optimizer's class.

    Bad::

        optim_wrapper = dict(
            optimizer=dict(type='SGD', lr=0.1, paramwise_cfg=dict(bias_lr_mult=2.)))

    Good::

        optim_wrapper = dict(
            optimizer=dict(type='SGD', lr=0.1),
            paramwise_cfg=dict(bias_lr_mult=2.))

    At the top level or inside ``optimizer_config`` it is ignored without a word. A variable of that name
    which the section uses is fine.
    """

    code = "OPT002"
    name = "misplaced-paramwise"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every place where it has no business."""
        raw, data = context.raw, context.config.data
        if raw is None:
            return
        if raw.form is SectionForm.WRAPPER:
            yield from self._in_optimizer(raw)
            if isinstance(old := data.get("optimizer"), Mapping):
                yield from self._unread(
                    raw, old, "optimizer", "'optim_wrapper' counts where both exist"
                )
        yield from self._unread(raw, data, "", "nothing reads it there")
        if isinstance(hook := data.get("optimizer_config"), Mapping):
            yield from self._unread(raw, hook, "optimizer_config", "it configures a hook")

    def _in_optimizer(self, raw: RawSection) -> Iterator[Finding]:
        for name in (_NAME, "constructor"):
            if name in raw.optimizer:
                yield self.finding(
                    f"{name!r} inside 'optim_wrapper.optimizer' reaches the optimizer class as an argument",
                    key=f"optim_wrapper.optimizer.{name}",
                    place=place_of(raw.optimizer, name),
                    hint=_BESIDE,
                )

    def _unread(
        self, raw: RawSection, container: Mapping[str, Any], where: str, why: str
    ) -> Iterator[Finding]:
        options = container.get(_NAME)
        if not options or not isinstance(options, Mapping) or _is_used(raw, options):
            return
        place = f"inside {where!r}" if where else "at the top level"
        yield self.finding(
            f"{_NAME!r} {place} does nothing: {why}",
            key=f"{where}.{_NAME}" if where else _NAME,
            place=place_of(container, _NAME),
            hint=_BESIDE if raw.form is SectionForm.WRAPPER else _INSIDE,
        )


def _is_used(raw: RawSection, options: Mapping[Any, Any]) -> bool:
    """Return whether it is a helper variable whose entries stand in the section too."""
    sections = [raw.outer, *(s for s in raw.outer.values() if isinstance(s, Mapping))]
    return any(
        isinstance(used := section.get(_NAME), Mapping)
        and all(name in used and used[name] == value for name, value in options.items())
        for section in sections
    )
