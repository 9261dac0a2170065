"""Fix in memory what findings are certain of: each change is proved before it counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from optplan.checks.config_files import read_config
from optplan.checks.discovery import FoundFile
from optplan.checks.paths import is_in_package, is_in_revision
from optplan.checks.results import CheckedConfig, FileKind, Reported
from optplan.checks.session import Request, Session
from optplan.checks.tasks import Reading
from optplan.config.edited_data import data_after, edits_by_place, same_data
from optplan.config.edits import Fix, FixedFile, Fixes, FixKind, InexactError, edited
from optplan.config.locations import is_below, project_roots
from optplan.config.recognition import choosing
from optplan.config.replacements import Replacement, replacement_of
from optplan.errors import OptplanError, UsageError, listed

Run = Callable[[Request], Session]
Report = Callable[[Session], Sequence[Reported]]
_MOST_ROUNDS = 1000
_INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(slots=True, kw_only=True)
class _State:
    """What was changed so far.

    Args:
        session: What checking gives with it.
        before: The texts of files as they were, by real paths.
        texts: Their new texts.
        done: The fixes in them.
        refused: Those that were tried, and why they do not count.
        doubtful: The files whose fixes did not hold together: of these one is tried at a time.
    """

    session: Session
    before: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    done: dict[str, list[Fix]] = field(default_factory=dict)
    refused: dict[Fix, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)


def mend(session: Session, request: Request, run: Run, report: Report) -> tuple[Session, Fixes]:
    """Change in memory what the findings of a session are certain of.

    A round changes all files at once and checks the configs that read them again. Where one does not hold,
    the fixes of the files that it reads are tried one by one.

    Args:
        session: What checking gave.
        request: What was asked for.
        run: Checks again.
        report: The findings of a session that nothing suppresses.

    Returns:
        What checking gives with the new texts, and these.

    Raises:
        UsageError: A config comes from stdin.
    """
    if request.stdin is not None:
        raise UsageError("'-' is read from stdin: there is no file to mend", hint="name the file")
    state = _State(session=session)
    for _ in range(_MOST_ROUNDS):
        if not (trial := _wanted(state, report)):
            break
        texts = {real: text for real, (text, _) in trial.items()}
        affected = {o.config for o in _configs(state.session) if texts.keys() & _real_files(o)}
        reading = replace(request.reading, texts={**state.texts, **texts})
        again = run(replace(request, words=tuple(sorted(affected)), reading=reading))
        proof = _Proof(
            before=replace(request.reading, texts=dict(state.texts)),
            after=reading,
            fixes={fix for _, fixes in trial.values() for fix in fixes},
        )
        broken = {
            real: reason
            for config in sorted(affected)
            if (reason := proof.objection(config, state.session, again)) is not None
            for outcome in _of(config, state.session)
            for real in _real_files(outcome)
        }
        for real, (text, fixes) in trial.items():
            if real in broken and len(proof.fixes) > 1:
                state.doubtful.add(real)
            elif real in broken:
                state.refused |= dict.fromkeys(fixes, broken[real])
            elif not broken:
                state.texts[real] = text
                state.done.setdefault(real, []).extend(fixes)
        if not broken:
            state.session = _merged(state.session, again)
    left = {f.fix: state.refused[f.fix] for f in report(state.session) if f.fix in state.refused}
    return state.session, Fixes(files=_files(state), left=tuple(left.items()))


def replacements_of(fixes: Fixes) -> dict[Fix, Replacement]:
    """Return what each fix that was proved replaces in the text of its file as it stands."""
    found = {}
    for file in fixes.files:
        for fix in file.fixes:
            with suppress(InexactError):  # it is one of a text that another fix has changed
                found[fix] = replacement_of(file.before, fix)
    return found


def _files(state: _State) -> tuple[FixedFile, ...]:
    return tuple(
        FixedFile(
            path=state.done[real][0].file,
            before=state.before[real],
            after=text,
            fixes=tuple(state.done[real]),
        )
        for real, text in sorted(state.texts.items())
    )


def _wanted(state: _State, report: Report) -> dict[str, tuple[str, list[Fix]]]:
    """Return the next text of each file that can be mended, by its real path, with what is changed."""
    outcomes = state.session.outcomes
    roots = project_roots(str(Path.cwd() / "config"))
    candidates = {os.path.realpath(outcome.config) for outcome in outcomes}
    by_file: dict[str, dict[tuple[int, int], Fix]] = {}
    for finding in report(state.session):
        fix = finding.fix
        if fix is None or fix in state.refused:
            continue
        real = os.path.realpath(fix.file)
        if (reason := _objection(fix, real, roots, candidates, outcomes)) is not None:
            state.refused[fix] = reason
        else:
            by_file.setdefault(real, {})[fix.line, fix.column] = fix
    wanted = {}
    for real, fixes in by_file.items():
        if real not in state.before:
            state.before[real] = Path(real).read_bytes().decode("utf-8")
        text = state.texts.get(real, state.before[real])
        suffix, exact = Path(real).suffix, []
        for fix in fixes.values():
            try:
                edited(text, suffix, [fix])
                exact.append(fix)
            except InexactError as error:
                state.refused[fix] = str(error)
        if real in state.doubtful:
            exact = exact[:1]
        if exact:
            wanted[real] = edited(text, suffix, exact), exact
    alone = next((real for real in wanted if real in state.doubtful), None)
    return wanted if alone is None else {alone: wanted[alone]}


def _objection(
    fix: Fix,
    real: str,
    roots: frozenset[str],
    candidates: Collection[str],
    outcomes: Sequence[CheckedConfig],
) -> str | None:
    """Return why a file is not to be changed; None where it may be."""
    if is_in_revision(fix.file):
        return "it is a git revision"
    if is_in_package(fix.file) or _INSTALLED & set(Path(real).parts):
        return "it belongs to an installed package"
    if not Path(real).is_file():
        return "it is no file"
    if not any(is_below(real, root) for root in roots):
        return f"it is outside of the project, {os.path.realpath('.')}"
    if real not in candidates:
        return "other configs may read it: name it too, or its folder"
    readers = [o for o in outcomes if o.kind is FileKind.CONFIG and real in _real_files(o)]
    others = [o.config for o in readers if not any(_is(fix, found.fix) for found in o.findings)]
    if others:
        return f"{listed(others)} read it too, without this finding"
    return None


def _is(fix: Fix, other: Fix | None) -> bool:
    """Return whether two fixes are one; a link gives a file another name."""
    return other is not None and replace(other, file=fix.file) == fix


def _configs(session: Session) -> list[CheckedConfig]:
    return [outcome for outcome in session.outcomes if outcome.kind is FileKind.CONFIG]


def _of(config: str, session: Session) -> list[CheckedConfig]:
    return [outcome for outcome in session.outcomes if outcome.config == config]


def _real_files(outcome: CheckedConfig) -> set[str]:
    return {os.path.realpath(file) for file in outcome.files}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """Holds a config before and after fixes against each other.

    Args:
        before, after: How it is read.
        fixes: The fixes.
    """

    before: Reading
    after: Reading
    fixes: set[Fix]

    def objection(self, config: str, old: Session, new: Session) -> str | None:
        """Return what speaks against the fixes that concern a config; None where they hold."""
        was, now = _of(config, old), _of(config, new)
        if (reason := self._of_data(config)) is not None:
            return reason
        mended = {(f.code, f.key) for o in was for f in o.findings if f.fix in self.fixes}
        still = {(f.code, f.key) for o in now for f in o.findings}
        if mended & still:
            return f"{config} would have {min(mended & still)[0]} all the same"
        if len(was) != len(now) or any(outcome.crash for outcome in now):
            return f"{config} could not be checked with it"
        if not _ran(was) <= _ran(now):
            told = listed(sorted({f.code for o in now for f in o.findings} - _codes(was)))
            return f"{config} could not be planned with it{f' ({told})' if told else ''}"
        kinds = {
            f.fix.kind for o in was for f in o.findings if f.fix is not None and f.fix in self.fixes
        }
        if kinds == {FixKind.REMOVE} and sorted(map(_plan, was)) != sorted(map(_plan, now)):
            return f"the plan of {config} would be another"
        return None

    def _of_data(self, config: str) -> str | None:
        found = FoundFile(config, named=True)
        try:
            with choosing(self.before.dialect):
                before = read_config(found, self.before)
                wanted = data_after(before.data, edits_by_place(self.fixes))
                after = read_config(found, self.after)
        except InexactError as error:
            return str(error)
        except OptplanError:
            return f"{config} could not be read with it"
        return None if same_data(wanted, after.data) else f"{config} would change in more than that"


def _ran(outcomes: Sequence[CheckedConfig]) -> frozenset[str]:
    return frozenset.intersection(*(outcome.ran for outcome in outcomes))


def _codes(outcomes: Sequence[CheckedConfig]) -> set[str]:
    return {finding.code for outcome in outcomes for finding in outcome.findings}


def _plan(outcome: CheckedConfig) -> str:
    return outcome.plan or ""


def _merged(old: Session, new: Session) -> Session:
    """Return a session with the configs that were checked again in their place."""
    again = {outcome.config for outcome in new.outcomes}
    indices: Mapping[int, int] = {
        index: old.tool_configs.index(one)
        for index, one in enumerate(new.tool_configs)
        if one in old.tool_configs
    }
    moved = [replace(one, tool_config=indices[one.tool_config]) for one in new.outcomes]
    kept = [outcome for outcome in old.outcomes if outcome.config not in again]
    outcomes = sorted([*kept, *moved], key=lambda outcome: outcome.config)
    return replace(old, outcomes=tuple(outcomes))
