"""YAML with a place for every key and element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from optplan.config.limits import MAX_DEPTH, Budget
from optplan.config.placed import PlacedDict, PlacedList, byte_widths, placed_dict, placed_tuple
from optplan.errors import ConfigError
from optplan.places import Place

if TYPE_CHECKING:
    from optplan.config.placed import File, RawPlace

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_NUMBERS = frozenset({_TAG + "int", _TAG + "float"})
# As many as Python reads in decimal; YAML's 1:30:00 takes time quadratic in them.
_MAX_DIGITS = 4300


def read_yaml(file: File) -> Any:
    """The data of a YAML text, by the rules of YAML 1.1.

    Raises:
        ConfigError: It is not YAML, has several documents, or a tag that is no plain data.
    """
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(file, loader_class)
        node = yaml.compose(file.text, Loader=loader_class)
        if node is None:
            raise ConfigError("it is empty", place=Place(file.source, 0, 0))
        return _Builder(file).value(node, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text = error.problem or error.context or "malformed"
        place = _at(file, mark).place if mark else Place(file.source, 0, 0)
        if "nesting depth" in text:  # newer versions of the parser have a limit of their own
            raise ConfigError("the data is nested too deeply", place=place) from None
        raise ConfigError(f"invalid YAML: {text}", place=place) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"invalid YAML: {error}", place=Place(file.source, 0, 0)) from None


def _check_depth(file: File, loader_class: Any) -> None:
    """Refuse deep nesting before anything recurses into it."""
    text = file.text
    # Only brackets, and indicators at the start of a line, can nest.
    if text.count("[") + text.count("{") + text.count("- ") + text.count("? ") < MAX_DEPTH:
        longest = max((len(line) - len(line.lstrip(" ")) for line in text.split("\n")), default=0)
        if longest < MAX_DEPTH:
            return
    depth = 0
    for event in yaml.parse(text, Loader=loader_class):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                place = _at(file, event.start_mark).place
                raise ConfigError("the data is nested too deeply", place=place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _At:
    """A position that YAML's parser gives."""

    __slots__ = ("place", "raw")

    def __init__(self, file: File, line: int, column: int) -> None:
        text = file.text.split("\n")[line] if line <= file.text.count("\n") else ""
        self.raw: RawPlace = (file, line + 1, len(text[:column].encode("utf-8", "replace")))
        self.place = file.place(line + 1, self.raw[2])


def _at(file: File, mark: Any) -> _At:
    return _At(file, mark.line, mark.column)


class _Builder:
    """Makes the data that YAML's nodes stand for."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.lines = file.text.split("\n")
        self.scalars = yaml.SafeLoader("")
        self.made: dict[int, Any] = {}
        self.budget = Budget()
        # By line, how many bytes stand before each character.
        self.widths: dict[int, list[int]] = {}

    def value(self, node: Any, depth: int) -> Any:
        if id(node) in self.made:
            return self.made[id(node)]
        self.budget.left -= 1
        if depth > MAX_DEPTH or self.budget.left < 0:
            raise ConfigError("the data is too large", place=_at(self.file, node.start_mark).place)
        if isinstance(node, yaml.MappingNode):
            result = self.mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            result = self.sequence(node, depth)
        else:
            result = self.scalar(node)
        self.made[id(node)] = result
        return result

    def raw(self, node: Any) -> RawPlace:
        line, column = node.start_mark.line, node.start_mark.column
        text = self.lines[line] if line < len(self.lines) else ""
        if not text.isascii():
            if line not in self.widths:
                self.widths[line] = byte_widths(text)
            column = self.widths[line][column]
        return (self.file, line + 1, column)

    def scalar(self, node: Any) -> Any:
        if node.tag in _NUMBERS and len(node.value) > _MAX_DIGITS:
            raise ConfigError("the number is too long", place=_at(self.file, node.start_mark).place)
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a malformed scalar raises
            place = _at(self.file, node.start_mark).place
            raise ConfigError(f"invalid YAML: {error}", place=place) from None

    def sequence(self, node: Any, depth: int) -> Any:
        if node.tag not in {_TAG + "seq", _TAG + "python/tuple"}:
            raise self.unknown(node)
        result = PlacedList()
        result.raw_places = [self.raw(item) for item in node.value]
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
            if isinstance(key, dict | list):
                place = _at(self.file, key_node.start_mark).place
                raise ConfigError("a key cannot be a mapping or a list", place=place)
            self.budget.spend_key(key)
            dict.__setitem__(result, key, self.value(value_node, depth + 1))
            result.raw_places[key] = self.raw(key_node)
        return result

    def merge(self, target: PlacedDict, node: Any, depth: int) -> None:
        """Do what ``<<:`` does: the first mapping that has a key gives its value."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.MappingNode):
                place = _at(self.file, each.start_mark).place
                raise ConfigError("'<<' needs a mapping or a list of mappings", place=place)
            source = self.value(each, depth + 1)
            self.budget.left -= len(source)
            for key, value in source.items():
                if key not in target:
                    target[key] = value
                    target.raw_places[key] = source.raw_places.get(key)

    def unknown(self, node: Any) -> ConfigError:
        place = _at(self.file, node.start_mark).place
        return ConfigError(f"the YAML tag '{node.tag}' is no plain data", place=place)
