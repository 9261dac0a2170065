"""Note which entries of a dict a constructor reads, to find the options that it has no use for."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any, Self

Path = tuple[str, ...]


class Recording:
    """A dict to hand to a constructor, and what the constructor reads of it.

    Args:
        data: The dict, which is copied: some constructors change what they are given.

    Attributes:
        options: The copy. It behaves as the dict does, and notes the path of each value that is read,
            leaf by leaf: that of a dict inside stands for the dict, not for what is in it.
    """

    def __init__(self, data: Mapping[Any, Any]) -> None:
        self._read: set[Path] = set()
        self._wanted: set[Path] = set()
        self._is_paused = False
        self.options = self._dict((), data)

    @property
    def read(self) -> frozenset[Path]:
        """The paths that were read so far."""
        return frozenset(self._read)

    @property
    def wanted(self) -> frozenset[Path]:
        """The paths that were asked for and were not there."""
        return frozenset(self._wanted)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Note nothing meanwhile: for reading that puts nothing to use, such as validation."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def note(self, path: Path, *, is_there: bool) -> None:
        """Take down that a value was asked for."""
        if not self._is_paused:
            (self._read if is_there else self._wanted).add(path)

    def _recorded(self, path: Path, key: Any, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return deepcopy(value)
        return self._dict((*path, str(key)), value)

    def _dict(self, path: Path, data: Mapping[Any, Any]) -> RecordingDict:
        found = RecordingDict(self, path, {k: self._recorded(path, k, data[k]) for k in data})
        if (places := getattr(data, "raw_places", None)) is not None:
            found.raw_places = places
        return found


def unnoticed(options: object) -> AbstractContextManager[None]:
    """Read options without a note of it, if they are recorded at all."""
    return options.paused() if isinstance(options, RecordingDict) else nullcontext()


class RecordingDict(dict[Any, Any]):
    """A dict inside a :class:`Recording`. What a constructor has put in itself is not noted.

    Entries are attributes too, as MMEngine's users know them.
    """

    __slots__ = ("_own", "_path", "_recording", "raw_places")
    raw_places: Any

    def __init__(self, recording: Recording, path: Path, data: Mapping[Any, Any]) -> None:
        super().__init__(data)
        self._recording = recording
        self._path = path
        self._own: set[Any] = set()
        self.raw_places = None

    def paused(self) -> AbstractContextManager[None]:
        """Note nothing meanwhile: :meth:`Recording.paused`."""
        return self._recording.paused()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self:
            raise AttributeError(f"there is no {name!r} in this dict")
        return self[name]

    def _note(self, key: Any) -> None:
        if key not in self._own:
            is_there = super().__contains__(key)
            self._recording.note((*self._path, str(key)), is_there=is_there)

    def _note_all(self) -> None:
        for key in super().__iter__():
            self._note(key)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None, /) -> Any:
        """Return a value, and note that it was read."""
        self._note(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    # overridden as well so that C code, such as dict(options), takes no shortcut past keys()
    def __iter__(self) -> Iterator[Any]:
        self._note_all()
        return super().__iter__()

    def __reversed__(self) -> Iterator[Any]:
        self._note_all()
        return super().__reversed__()

    def keys(self) -> KeysView[Any]:  # type: ignore[override]
        """Return all keys, and note that all were read."""
        self._note_all()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return all values, and note that all were read."""
        self._note_all()
        return super().values()

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]
        """Return all entries, and note that all were read."""
        self._note_all()
        return super().items()

    def pop(self, key: Any, /, *default: Any) -> Any:
        """Remove and return a value, and note that it was read."""
        self._note(key)
        return super().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        """Remove and return the last entry, and note that it was read."""
        if self:
            self._note(next(super().__reversed__()))
        return super().popitem()

    def setdefault(self, key: Any, default: Any = None, /) -> Any:
        """Return a value, set to a default where it is not there."""
        if key in self:
            return self[key]
        self[key] = default
        return default

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._note_own(key)

    def _note_own(self, *keys: Any) -> None:
        """Remember keys that the constructor has put in: they have no place, and reading them is not noted."""
        self._own.update(keys)
        if (places := getattr(self, "raw_places", None)) is not None:
            self.raw_places = {key: place for key, place in places.items() if key not in keys}

    def update(self, other: Any = (), /, **entries: Any) -> None:
        """Set entries, which are not noted when they are read later."""
        given = dict(other, **entries)
        super().update(given)
        self._note_own(*given)

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __or__(self, other: Any) -> dict[Any, Any]:
        return dict(self) | other if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> dict[Any, Any]:
        return other | dict(self) if isinstance(other, dict) else NotImplemented

    def __eq__(self, other: object) -> bool:
        self._note_all()
        return super().__eq__(other)

    __hash__ = None

    def copy(self) -> RecordingDict:
        """Return a copy; what is read of it is noted as well."""
        return self._copied(dict(super().items()))

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> RecordingDict:
        return self._copied({key: deepcopy(value, memo) for key, value in super().items()})

    def _copied(self, data: dict[Any, Any]) -> RecordingDict:
        result = RecordingDict(self._recording, self._path, data)
        result._own = set(self._own)
        if (places := getattr(self, "raw_places", None)) is not None:
            result.raw_places = places
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
