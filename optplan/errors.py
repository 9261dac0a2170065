"""Define the errors of optplan: one class, a child for each stage, and the words that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optplan.names import ProblemKind
    from optplan.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: what is wrong, where, and what to do about it.

    Args:
        message: What is wrong.
        place: Where it is written.
        hint: What to do about it.
        kind: What it is about, where a check of its own reports it.
        parameters: The names of the parameters that it concerns.
        code: Lines of Python that the hint is about.
        known: The names of entries of which the one that stands there was perhaps meant to be one.
    """

    message: str
    place: Place | None = None
    hint: str | None = None
    kind: ProblemKind | None = None
    parameters: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} ({self.hint})" if self.hint else text


class OptplanError(Exception):
    """A job that could not be done, for a reason that the user can mend.

    Args:
        message: What is wrong, or every :class:`Problem` that was found.
        place: Where it is written.
        hint: What to do about it.
        kind, parameters: As of :class:`Problem`.
    """

    def __init__(
        self,
        message: str | Sequence[Problem],
        *,
        place: Place | None = None,
        hint: str | None = None,
        kind: ProblemKind | None = None,
        parameters: tuple[str, ...] = (),
    ) -> None:
        if isinstance(message, str):
            one = Problem(message=message, place=place, hint=hint, kind=kind, parameters=parameters)
            message = [one]
        self.problems: tuple[Problem, ...] = tuple(message)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(OptplanError):
    """The command line asks for something that there is not."""


class ConfigError(OptplanError):
    """A config cannot be read, or its optimizer section is wrong."""


class ModelError(OptplanError):
    """A model cannot be found or built."""


class PlanError(OptplanError):
    """The optimizer or its constructor refuses this model with this config."""


class MismatchError(PlanError, AssertionError):
    """An optimizer is not as planned."""


class ScheduleError(OptplanError):
    """A scheduler cannot be made, or breaks down during the training."""


class VerifyError(OptplanError):
    """A plan cannot be verified here: no such device, no memory, a model or optimizer that raises."""


class OutputError(OptplanError):
    """A report cannot be written."""


# Letters of one word times letters of the other, of all that are compared: a tenth of a second.
_MOST_COMPARED = 2_000_000


def close_matches(
    word: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.6
) -> list[str]:
    """Return up to ``most`` of the known words that look like ``word``, the closest first.

    Words that share the most letters are compared first, and only as many as take a moment.

    Args:
        word: The word.
        known: The known words.
        most: How many to give at most.
        cutoff: How alike they must be; 1 is the same.
    """
    from difflib import SequenceMatcher
    from heapq import nlargest

    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    matcher = SequenceMatcher(b=word.lower())
    bounds: list[tuple[float, str]] = []
    for low in by_lower:
        matcher.set_seq1(low)
        if matcher.real_quick_ratio() >= cutoff and (bound := matcher.quick_ratio()) >= cutoff:
            bounds.append((bound, low))
    close: list[tuple[float, str]] = []
    left = _MOST_COMPARED
    # one that begins and ends as the word does may be anywhere among those that share its letters
    alike = nlargest(most, bounds, key=lambda one: _same_ends(one[1], word.lower()))
    ratios = [(SequenceMatcher(None, low, word.lower()).ratio(), low) for _, low in alike]
    close += sorted((one for one in ratios if one[0] >= cutoff), reverse=True)
    for bound, low in sorted(set(bounds) - set(alike), reverse=True):
        left -= (len(low) + 1) * (len(word) + 1)
        if left < 0 or (len(close) == most and bound < close[-1][0]):
            break
        matcher.set_seq1(low)
        if (ratio := matcher.ratio()) >= cutoff:
            close = nlargest(most, [*close, (ratio, low)])
    return [by_lower[low] for _, low in close]


def _same_ends(one: str, other: str) -> int:
    """Return how many letters two words have in common at their beginnings and ends."""
    pairs = (zip(one, other, strict=False), zip(one[::-1], other[::-1], strict=False))
    return sum(next((n for n, (a, b) in enumerate(pair) if a != b), len(one)) for pair in pairs)


def quoted(text: str) -> str:
    """Return a key or a name as the user reads it: nothing in it is doubled or replaced."""
    return f"'{text}'"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the known words closest to ``word``, or None where none is close."""
    return _asked(close_matches(word, known))


def _asked(matches: Sequence[str]) -> str | None:
    names = list(map(quoted, matches))
    if not names:
        return None
    return "did you mean " + ", ".join(names[:-1]) + (" or " if names[1:] else "") + names[-1] + "?"


# The files of a folder that a missing one is compared with.
_MOST_FILES = 2000


def similar_files(path: str) -> str | None:
    """Return a hint for a file that is missing: files that are there, or the folder that is missing too."""
    from pathlib import Path

    try:
        file = Path(path).expanduser()
        if not file.parent.is_dir():
            return f"there is no folder '{_shown(str(file.parent))}'"
        hides = file.name[:1] != "."
        names = sorted(
            one.name for one in file.parent.iterdir() if not (hides and one.name[0] == ".")
        )
    except (OSError, ValueError, RuntimeError):
        return None
    others = [one for one in names if one != file.name][:_MOST_FILES]
    same = [one for one in others if file.suffix and one.endswith(file.suffix)]
    hint = f"the folder has {listed(same, most=3)}" if same else None
    return similar_names(file.name, others) or hint


def similar_names(path: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the paths whose file is named like that of one, whatever the endings and folders."""
    by_stem: dict[str, list[str]] = {}
    for one in known:
        by_stem.setdefault(_stem(one), []).append(one)
    stems = close_matches(_stem(path), by_stem)
    return _asked([one for stem in stems for one in by_stem[stem]][:3])


def _stem(path: str) -> str:
    """Return the name of a file without its ending; ``package::path`` is a path, too."""
    name = path.replace("\\", "/").replace("::", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """Return the first names, and how many more there are: ``a, b, c, d, e and 7 more``."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


# What torch appends to some messages, with its own stack.
_CPP_STACK = "\nException raised from"


def described_exception(error: BaseException, home: str | None = None) -> str:
    """Return the exception with the line of the user's code that raised it, or called what did.

    Args:
        error: The exception.
        home: The file that is asked about; left out, any that is not installed.
    """
    try:
        text = " ".join(str(error).partition(_CPP_STACK)[0].split())
    except Exception:  # noqa: BLE001 - the exception is the user's own class
        text = ""
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    line = _raised_at(error, home)
    return f"{shown} ({line})" if line else shown


def _raised_at(error: BaseException, home: str | None) -> str:
    """Return ``file:line``: the innermost of the user's own, else of any installed package's."""
    import site
    import sysconfig
    import traceback
    from pathlib import Path

    own = str(Path(__file__).parent)
    packages = (*site.getsitepackages(), site.getusersitepackages())
    library = sysconfig.get_path("stdlib")
    frames = [
        frame
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if not frame.filename.startswith((own, "<"))
        and (frame.filename.startswith(packages) or not frame.filename.startswith(library))
    ]
    nearest = [
        frame
        for frame in frames
        if (frame.filename == home if home else not frame.filename.startswith(packages))
    ]
    return next((f"{_shown(frame.filename)}:{frame.lineno}" for frame in (*nearest, *frames)), "")


def _shown(file: str) -> str:
    """Return a file as the user would name it: from the current folder, if it is below that."""
    from pathlib import Path

    from optplan.places import path_below

    here = Path.cwd()
    return path_below(str(here / file), str(here)) or file
