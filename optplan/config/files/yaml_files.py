"""YAML with a place for every key and element."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import yaml

from optplan.config.limits import MAX_DEPTH
from optplan.config.placed import (
    File,
    PlacedDict,
    PlacedList,
    byte_widths,
    placed_dict,
    placed_tuple,
)
from optplan.errors import ConfigError
from optplan.places import Place, Source

if TYPE_CHECKING:
    from optplan.config.limits import StepCounter
    from optplan.config.placed import RawPlace

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_TEXT = _TAG + "str"
_NUMBERS = frozenset({_TAG + "int", _TAG + "float"})
# As many as Python reads in decimal; YAML's 1:30:00 takes time quadratic in them.
_MAX_DIGITS = 4300
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: File, steps: StepCounter) -> Any:
    """Return the data of a YAML text, by the rules of YAML 1.1.

    Args:
        file: The text.
        steps: What building the data goes to.

    Raises:
        ConfigError: It is not YAML, has several documents, or a tag that is no plain data.
    """
    marks = _Marks(file)
    try:
        _check_depth(marks)
        node = yaml.compose(file.text, Loader=_LOADER)
        if node is None:
            raise ConfigError("it is empty", place=Place(file.source, 0, 0))
        return _Builder(marks, steps).value(node, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text = error.problem or error.context or "malformed"
        place = marks.place(mark) if mark else Place(file.source, 0, 0)
        if "nesting depth" in text:  # newer versions of the parser have a limit of their own
            raise ConfigError("the data is nested too deeply", place=place) from None
        is_tab = place.source.line(place.line)[place.column - 1 : place.column] == "\t"
        hint = "YAML is indented by spaces: this is a tab" if is_tab else None
        raise ConfigError(f"invalid YAML: {text}", place=place, hint=hint) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"invalid YAML: {error}", place=Place(file.source, 0, 0)) from None


class _Bare(_LOADER):  # type: ignore[misc]
    """Make plain data alone; of what has a tag that is none, the bare value."""

    def bare(self, _suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node)
        return node.value


_Bare.add_multi_constructor("", _Bare.bare)


def read_bare(text: str) -> Any:
    """Return the data of a YAML text without places; None where it is not YAML."""
    try:
        _check_depth(_Marks(File(Source(name=""), text)))
        return yaml.load(text, Loader=_Bare)  # a safe loader
    except (yaml.YAMLError, ConfigError, ValueError, TypeError, RecursionError):
        return None


def _check_depth(marks: _Marks) -> None:
    """Refuse deep nesting before anything recurses into it."""
    text = marks.file.text
    # Only brackets, and indicators at the start of a line, can nest.
    if text.count("[") + text.count("{") + text.count("- ") + text.count("? ") < MAX_DEPTH:
        longest = max((len(line) - len(line.lstrip(" ")) for line in marks.lines), default=0)
        if longest < MAX_DEPTH:
            return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                place = marks.place(event.start_mark)
                raise ConfigError("the data is nested too deeply", place=place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Marks:
    """The way from the parser's positions to places.

    The parser breaks lines at characters that end no line elsewhere, such as U+0085: its lines and
    columns are of no use, its offsets are.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.lines = file.text.split("\n")
        self.starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))
        # By line, how many bytes stand before each character.
        self.widths: dict[int, list[int]] = {}
        # The parser in C does not count a byte order mark.
        is_counted = not hasattr(yaml, "CSafeLoader") or not file.text.startswith("\ufeff")
        self.before = 0 if is_counted else 1

    def raw(self, mark: Any) -> RawPlace:
        offset = min(mark.index + self.before, len(self.file.text))
        line = bisect_right(self.starts, offset, hi=len(self.lines)) - 1
        column = offset - self.starts[line]
        text = self.lines[line]
        if not text.isascii():
            if line not in self.widths:
                self.widths[line] = byte_widths(text)
            column = self.widths[line][column]
        return (self.file, line + 1, column)

    def place(self, mark: Any) -> Place:
        raw = self.raw(mark)
        assert raw is not None
        return self.file.place(raw[1], raw[2])


class _Builder:
    """Build data from the nodes of YAML, with places."""

    def __init__(self, marks: _Marks, steps: StepCounter) -> None:
        self.raw = marks.raw
        self.place = marks.place
        self.scalars = yaml.SafeLoader("")
        self.made: dict[int, Any] = {}
        self.steps = steps

    def value(self, node: Any, depth: int) -> Any:
        if id(node) in self.made:
            return self.made[id(node)]
        self.spend(1, node)
        if depth > MAX_DEPTH:
            raise ConfigError("the data is nested too deeply", place=self.place(node.start_mark))
        if isinstance(node, yaml.MappingNode):
            result = self.mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            result = self.sequence(node, depth)
        else:
            result = self.scalar(node)
        self.made[id(node)] = result
        return result

    def spend(self, steps: int, node: Any) -> None:
        self.steps.left -= steps
        if self.steps.left < 0:
            raise ConfigError("the data is too large", place=self.place(node.start_mark))

    def scalar(self, node: Any) -> Any:
        if node.tag == _TEXT:
            return node.value
        if node.tag in _NUMBERS and len(node.value) > _MAX_DIGITS:
            raise ConfigError("the number is too long", place=self.place(node.start_mark))
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a malformed scalar raises
            place = self.place(node.start_mark)
            raise ConfigError(f"invalid YAML: {error}", place=place) from None

    def sequence(self, node: Any, depth: int) -> Any:
        if node.tag not in {_TAG + "seq", _TAG + "python/tuple"}:
            raise self.unknown(node)
        result = PlacedList()
        result.raw_places = [self.raw(item.start_mark) for item in node.value]
        self.made[id(node)] = result
        result.extend([self.value(item, depth + 1) for item in node.value])
        if node.tag.endswith("tuple"):
            return placed_tuple(result, result.raw_places)
        return result

    def mapping(self, node: Any, depth: int) -> PlacedDict:
        if node.tag != _TAG + "map":
            raise self.unknown(node)
        result = placed_dict((), {})
        self.made[id(node)] = result
        own: list[tuple[Any, Any]] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                self.merge(result, value_node, depth)
            else:
                own.append((key_node, value_node))
        for key_node, value_node in own:
            key = self.value(key_node, depth + 1)
            try:
                self.steps.charge_key(key)
                hash(key)
            except TypeError:
                message = "a key cannot be a mapping or a list, or hold one"
                raise ConfigError(message, place=self.place(key_node.start_mark)) from None
            dict.__setitem__(result, key, self.value(value_node, depth + 1))
            result.raw_places[key] = self.raw(key_node.start_mark)
        return result

    def merge(self, target: PlacedDict, node: Any, depth: int) -> None:
        """Do what ``<<:`` does: the first mapping that has a key gives its value."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.MappingNode):
                place = self.place(each.start_mark)
                raise ConfigError("'<<' needs a mapping or a list of mappings", place=place)
            source = self.value(each, depth + 1)
            self.spend(1 + len(source), node)
            for key, value in source.items():
                if key not in target:
                    target[key] = value
                    target.raw_places[key] = source.raw_places.get(key)

    def unknown(self, node: Any) -> ConfigError:
        place = self.place(node.start_mark)
        return ConfigError(f"the YAML tag '{node.tag}' is no plain data", place=place)
