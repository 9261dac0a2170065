"""Changes between two plans in the words that every reporter of a diff uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from optplan.errors import listed, quoted
from optplan.names import Rule
from optplan.plan import PlannedModel, RuleUse
from optplan.plan.changes import (
    ABSENT,
    Change,
    ChangeKind,
    Cluster,
    CourseChange,
    OptimizerChange,
    Overwritten,
    PlanDiff,
    SchedulerChange,
)
from optplan.reporters.words import (
    number,
    plural,
    shape_text,
    use_text,
    uses_place,
    uses_style,
    where_text,
)

Labels = tuple[str, str]


def field_text(change: Change) -> str:
    """Return what changes: ``weight_decay``, ``extra foo``."""
    return f"extra {change.field}" if change.kind is ChangeKind.EXTRA else change.field


def values_text(change: Change) -> tuple[str, str]:
    """Return the value before and after; numbers with all digits where six do not tell them apart."""
    if change.field == "shape" and change.kind is ChangeKind.PARAMETER:
        return shape_text(change.before), shape_text(change.after)
    texts = value_text(change.before), value_text(change.after)
    if texts[0] == texts[1] and change.before != change.after:
        return repr(change.before), repr(change.after)
    return texts


def value_text(value: Any) -> str:
    """Return a value of a plan; '–' for none and for an entry that is not there."""
    if value is None or value is ABSENT:
        return "–"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(value_text, value)) + ")"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {value_text(item)}" for key, item in value.items()) + "}"
    return str(value)


def cause_text(cluster: Cluster) -> str:
    """Return why: the rule after, the rule that no longer holds, or both; '' where no rule is known."""
    before, after = cluster.rule_before, cluster.rule_after
    if cluster.change.kind in (ChangeKind.OPTION, ChangeKind.EXTRA):
        return _key_text(before, after)
    if before is None:
        return f"{use_text(after)}, not the checkpoint" if after is not None else ""
    if after is None:
        return f"checkpoint, not {use_text(before)}"
    texts = use_text(before), use_text(after)
    if texts[0] == texts[1] or before.rule is Rule.DEFAULT:
        return texts[1]
    if after.rule is Rule.DEFAULT and after.mult == 1:
        return f"no longer {texts[0]}"
    return f"{texts[0]} → {_without_name(before, after, texts[1])}"


def _without_name(before: RuleUse, after: RuleUse, text: str) -> str:
    if (before.rule, before.key) != (after.rule, after.key) or after.mult is None:
        return text
    return text[text.rindex("×") :]


def _key_text(before: RuleUse | None, after: RuleUse | None) -> str:
    """Return the custom keys behind an option or an extra entry."""
    first, second = (None if use is None else quoted(use.key or "") for use in (before, after))
    if second is None:
        return f"no longer {first}" if first is not None else ""
    return second if first in (None, second) else f"{first} → {second}"


def cause_style(cluster: Cluster) -> str:
    """Return the colour of the rule that is worth one."""
    return uses_style(cluster.rule_after, cluster.rule_before)


def place_text(cluster: Cluster) -> str:
    """Return ``file:line`` of the rule that :func:`cause_text` names first among the new ones."""
    return uses_place(cluster.rule_after, cluster.rule_before)


def optimizer_field_text(change: OptimizerChange) -> str:
    """Return what changes of an optimizer, with its name where it has one."""
    field = change.change.field
    return f"{change.optimizer}: {field}" if change.optimizer else field


def reach_text(change: OptimizerChange) -> str:
    """Return how many parameters a base value takes along."""
    if change.parameters is None:
        return ""
    return f"{plural(change.parameters, 'parameter')} with it"


def course_values_text(change: CourseChange) -> tuple[str, str]:
    """Return the values at the step where settings part, of the first one where there are several."""
    values = change.before, change.after
    texts = ["a metric" if value is None else number(value) for value in values]
    if texts[0] == texts[1]:
        texts = [repr(value) for value in values]
    more = ", …" if change.settings > 1 else ""
    return texts[0], texts[1] + more


def course_text(change: CourseChange) -> str:
    """Return what differs from where on: ``lr from epoch 30 on``."""
    return f"{change.field} from {change.unit} {change.step} on"


def schedule_rows(diff: PlanDiff) -> list[tuple[str, str, str, str, tuple[str, ...]]]:
    """Return what the schedulers change: what, the values before and after, how many, and their patterns."""
    rows = [
        (
            course_text(change),
            *course_values_text(change),
            plural(len(change.names), "parameter"),
            change.patterns,
        )
        for change in diff.courses
    ]
    rows += [
        (f"{one.scheduler} {one.field}", *_setting_texts(one), f"({one.note})", ())
        for one in diff.schedulers
    ]
    return [*rows, *([("length", *diff.length, "", ())] if diff.length else [])]


def _setting_texts(change: SchedulerChange) -> tuple[str, str]:
    """Return the values of a scheduler's attribute; numbers with all digits where six do not tell them apart."""
    values = change.before, change.after
    texts = [_setting_text(value, value_text) for value in values]
    if texts[0] == texts[1]:
        texts = [_setting_text(value, repr) for value in values]
    return texts[0], texts[1]


def _setting_text(value: Any, shown: Callable[[Any], str]) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return shown(value)


def unread_notes(diff: PlanDiff) -> list[str]:
    """Return what may move the settings and is not read, in a line each; what differs comes first."""
    said: dict[bool | None, str] = {
        False: "not read, and written differently: {}, which may {}",
        None: "not compared: {}",
        True: "not read, but written alike: {}",
    }
    found = sorted(diff.unread, key=lambda one: list(said).index(one.is_alike))
    return [said[one.is_alike].format(one.text, one.effect) for one in found]


def model_text(diff: PlanDiff) -> str:
    """Return the model and whose rules hold, or both where they are not the same."""
    names = _model_name(diff.before.model), _model_name(diff.after.model)
    rules = [plan.generation and plan.generation.title for plan in (diff.before, diff.after)]
    told = [_both(*names)]
    if any(rules):
        told.append(_both(*(str(one) if one else "no rules" for one in rules)))
    return " · ".join(told)


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def labels_of(words: Labels, diff: PlanDiff) -> Labels:
    """Return what the sides are called: as on the command line, with their models where that is one word."""
    models = _model_name(diff.before.model), _model_name(diff.after.model)
    if words[0] != words[1] or models[0] == models[1]:
        return words
    return f"{words[0]} ({models[0]})", f"{words[1]} ({models[1]})"


def _model_name(model: PlannedModel) -> str:
    return model.spec or model.class_name.rpartition(".")[2]


def verdict_text(diff: PlanDiff) -> str:
    """Return how much changes, in a few words."""
    if diff.misfits:
        return "cannot be resumed"
    if diff.is_same:
        return "no difference in what was read" if diff.unread else "no difference"
    has_others = diff.courses or diff.length or diff.uncompared or diff.schedulers
    is_unread = any(one.is_alike is False for one in diff.unread)
    if is_unread and not (diff.changed or has_others or diff.optimizers):
        return "the same as far as it was read"
    if not diff.changed and has_others:
        is_later = all(one.step for one in diff.courses)
        return f"the same {'at step 0' if is_later else 'in the plan'}, not in the schedule"
    return f"{diff.changed} of {plural(diff.common, 'parameter')} change"


def rule_notes(diff: PlanDiff) -> list[str]:
    """Return a line on the values of each field that another rule gives, apart for those that follow the base."""
    causes: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for cluster in diff.rules:
        change = cluster.change
        is_same = change.before == change.after
        what = f"the same {change.field}" if is_same else f"{change.field} as its base value"
        causes.setdefault(what, []).append(cause_text(cluster))
        counts[what] = counts.get(what, 0) + len(cluster.names)
    return [
        f"{what} by another rule: {plural(counts[what], 'parameter')} "
        f"({listed(list(dict.fromkeys(texts)), most=3)})"
        for what, texts in causes.items()
    ]


def resumption_notes(diff: PlanDiff) -> list[str]:
    """Return what of the config has no effect on resume, and where it was saved, in a line each."""
    found = diff.resumption
    if found is None:
        return []
    texts = list(dict.fromkeys(map(_overwritten_text, found.overwritten)))
    lost = f"no effect on resume, since the checkpoint overwrites it: {', '.join(texts)}"
    progress = [f"{name} {number(value)}" for name, value in found.progress.items()]
    saved = f"saved by {found.saved_by}: {', '.join(progress)}"
    return [*([lost] if texts else []), *([saved] if progress else [])]


def _overwritten_text(one: Overwritten) -> str:
    use = one.rule
    if use is None:
        return one.entry
    rule = "" if use.rule is Rule.DEFAULT else f" by {use_text(use)}"
    place = "" if use.origin is None else f" ({where_text(use.origin.file, use.origin.line)})"
    return f"{one.entry}{rule}{place}"


def remarks_of(diff: PlanDiff) -> list[str]:
    """Return what is no difference, and worth a line."""
    versions = [
        f"{package} {before or 'none'} → {after or 'none'}"
        for package, (before, after) in diff.versions.items()
    ]
    remarks = [f"made with other versions: {', '.join(versions)}"] if versions else []
    return [*resumption_notes(diff), *diff.remarks, *remarks]
