"""OPT102: fields of custom keys that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, renamed
from optplan.checks.facts.group_names import (
    MULTIPLIERS,
    is_synonym,
    known_group_names,
    nearest,
    owner_of,
    read_by_hook,
    torch_group_names,
)
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.checks.facts.wording import kept
from optplan.config import place_of
from optplan.config.regex_groups import RegexGroups
from optplan.errors import quoted
from optplan.names import Severity

_SETTINGS: Mapping[str, str] = {
    "lr_mult": "lr",
    "lr": "lr",
    "decay_mult": "weight_decay",
    "weight_decay": "weight_decay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inert:
    """A field that nothing reads: what it was meant to be, and whose it may be instead."""

    meant: str | None
    owner: str | None


class InertKeyField(Check):
    """A field of a custom key that means nothing to the constructor and to the optimizer.

    Every field is copied into the param group, where it lies unread.

    Bad::

        custom_keys={'theta': dict(wd_mult=0.0)}

    Good::

        custom_keys={'theta': dict(decay_mult=0.0)}

    It is an error where it looks like a misspelt name, and a warning otherwise: something else may read
    it from the groups. The same holds for ``optimizer_kwargs`` of torchtitan's groups. Name such fields in
    ``allow-group-keys`` of the tool's configuration.
    """

    code = "OPT102"
    name = "inert-key-field"
    severity = Severity.WARNING
    needs_plan = False
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every such field."""
        yield from self._in_patterns(context)
        raw = context.raw
        if raw is None or raw.known is None or "custom_keys" not in raw.known.options:
            return
        names = known_group_names(raw)
        used = _used_by_optimizer(context)
        for key, field, fields in raw.key_fields():
            if field in used or field in context.allow_group_keys or read_by_hook(raw, field):
                continue
            if (inert := _inert(field, names, context)) is None:
                continue
            won = next((use.won for use in context.key_uses if use.rule.key == key), [])
            meant = f"did you mean {inert.meant!r}?" if inert.meant else None
            yield self.finding(
                f"{field!r} in custom_keys[{key!r}] does nothing"
                + _consequence(context, raw, inert, [facts.name for facts in won]),
                key=f"custom_keys.{key}.{field}",
                place=place_of(fields, field),
                hint=meant,
                parameters=tuple(facts.name for facts in won),
                severity=Severity.ERROR if inert.meant else None,
                fix=renamed(place_of(fields, field), field, _certain(field, inert, names)),
            )

    def _in_patterns(self, context: Context) -> Iterator[Finding]:
        """Yield such fields of groups with patterns that have optimizers of their own, which torch copies unread."""
        recipe = context.section.recipe if context.section is not None else None
        if not isinstance(recipe, RegexGroups):
            return
        for group in recipe.groups:
            names = torch_group_names(recipe.optimizers[group.optimizer].type)
            for field in group.entries:
                if names is None or field in names or field in context.allow_group_keys:
                    continue
                meant = nearest(field, names)
                yield self.finding(
                    f"{field!r} in the group {quoted(group.patterns[0].text)} does nothing",
                    key=f"pattern.{group.patterns[0].text}.{field}",
                    place=group.places.get(field),
                    hint=f"did you mean {meant!r}?" if meant else None,
                    severity=Severity.ERROR if meant else None,
                )


def _inert(field: str, names: frozenset[str] | None, context: Context) -> _Inert | None:
    """Return what there is to say of a field; None where it may well be read."""
    if names is not None:
        if field in names:
            return None
        return _Inert(meant=nearest(field, names), owner=owner_of(field))
    if field in MULTIPLIERS or field in _SETTINGS:
        return None
    meant = nearest(field, MULTIPLIERS)
    if meant is None and not any(field in row.extra for row in context.rows.values()):
        return None  # the optimizer is not known: it may be a hyper-parameter of it
    return _Inert(meant=meant, owner=owner_of(field))


def _certain(field: str, inert: _Inert, names: frozenset[str] | None) -> str | None:
    """Return what a field was meant to be, where that is no guess."""
    if inert.meant is not None and is_synonym(field, inert.meant):
        return inert.meant
    return certain_name(field, names or MULTIPLIERS) if inert.meant is not None else None


def _used_by_optimizer(context: Context) -> frozenset[str]:
    """Return the hyper-parameters that the planned optimizer takes from the groups."""
    distinct = {id(row.options): row.options for row in context.rows.values()}
    return frozenset(name for options in distinct.values() for name in options)


def _consequence(context: Context, raw: RawSection, inert: _Inert, won: list[str]) -> str:
    setting = _SETTINGS.get(inert.meant or "")
    if setting and (what := kept((context.rows[name] for name in won), setting)):
        return f": {what}"
    if inert.meant is None and inert.owner is not None:
        return f": {raw.optimizer_type} does not read it, {inert.owner} does"
    return ""
