"""The module tree of a plan's names, closed where all below gets the same and folded where siblings do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from optplan.names import Status
from optplan.plan.names.name_shapes import Words, numbered, written
from optplan.plan.names.patterns import escape
from optplan.plan.plan import PlannedParameter
from optplan.plan.row_kinds import KindOf, Kinds, RowKind, kinds_by_rule, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """A module, several that look alike, or a parameter.

    Args:
        name: Its name below its parent, as a pattern: ``blocks.{0-11}``.
        is_module: Whether there are names below it.
        parameters: How many parameters it holds; names of a tensor that is counted elsewhere are not.
        elements: Their elements.
        kinds: What they get, and why; one kind where it is uniform.
        children: What is below it; nothing where it is uniform.
    """

    name: str
    is_module: bool
    parameters: int
    elements: int
    kinds: Kinds
    children: tuple[Subtree, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A subtree where it stands.

    Args:
        subtree: The subtree.
        path: The names of the branches from the root's child down to it.
        lasts: For it and each that it is below, but the root: whether it is the last of its siblings.
        is_open: Whether what is below it follows.
    """

    subtree: Subtree
    path: tuple[str, ...]
    lasts: tuple[bool, ...]
    is_open: bool

    @property
    def level(self) -> int:
        """How many others it is below."""
        return len(self.path)

    @property
    def pattern(self) -> str:
        """Matches the names in it and no other."""
        return ".".join([*self.path, "*"] if self.subtree.is_module else self.path)


def module_tree(rows: Sequence[PlannedParameter], kind_of: KindOf | None = None) -> Subtree:
    """Return the tree of the rows' names; its root has no name and is never left out.

    Args:
        rows: The rows.
        kind_of: Equal for rows that are alike; None where those of one status, setting and rules are.
    """
    kind_of = kind_of or kinds_by_rule()
    modules = [_Module()]
    for row in rows:
        module = modules[0]
        for word in row.name.split(".")[:-1]:
            if word not in module.modules:
                module.modules[word] = _Module(parent=module, word=word)
                modules.append(module.modules[word])
            module = module.modules[word]
        module.rows.append(row)
    signatures: dict[Hashable, int] = {}
    for module in reversed(modules[1:]):  # a module stands before all that is below it
        if module.parent is not None:
            module.parent.parts.append(module.closed(signatures, kind_of))
    root = modules[0].closed(signatures, kind_of)
    whole = replace(root.subtree, name="")
    if not root.tail:
        return whole
    return replace(whole, children=(replace(whole, name=root.tail[1:]),))


def branches(tree: Subtree, depth: int | None = None) -> Iterator[Branch]:
    """Yield the tree from top to bottom, down to some level."""
    waiting: list[tuple[Subtree, tuple[str, ...], tuple[bool, ...]]] = [(tree, (), ())]
    while waiting:
        subtree, path, lasts = waiting.pop()
        is_open = bool(subtree.children) and (depth is None or len(lasts) < depth)
        yield Branch(subtree=subtree, path=path, lasts=lasts, is_open=is_open)
        if is_open:
            last = len(subtree.children) - 1
            waiting += [
                (child, (*path, child.name), (*lasts, number == last))
                for number, child in reversed(list(enumerate(subtree.children)))
            ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What stands below a module under one word, before siblings are folded.

    Args:
        word: Its component of the names.
        tail: What else stands in its name, as a pattern: a module with one child is not shown itself.
        signature: Equal for parts that look alike.
        subtree: What it is, by itself.
    """

    word: str
    tail: str
    signature: int
    subtree: Subtree


@dataclass(slots=True)
class _Module:
    """A module while the tree is made."""

    parent: _Module | None = None
    word: str = ""
    parts: list[_Part] = field(default_factory=list)
    modules: dict[str, _Module] = field(default_factory=dict)
    rows: list[PlannedParameter] = field(default_factory=list)

    def closed(self, signatures: dict[Hashable, int], kind_of: KindOf) -> _Part:
        """Return the module as a part of its parent, once all below it is closed."""
        parts = [_parameter(row, kind_of(row), signatures) for row in self.rows]
        parts += reversed(self.parts)
        kinds = together(part.subtree.kinds for part in parts)
        folded = _folded(parts) if len(kinds) > 1 else []
        tail, children = "", tuple(subtree for subtree, _ in folded)
        if len(folded) == 1:
            tail, children = f".{children[0].name}", children[0].children
        shape = tuple((subtree.name, signature) for subtree, signature in folded)
        return _Part(
            word=self.word,
            tail=tail,
            signature=signatures.setdefault(("module", shape, tuple(kinds)), len(signatures)),
            subtree=Subtree(
                name=escape(self.word) + tail,
                is_module=True,
                parameters=sum(part.subtree.parameters for part in parts),
                elements=sum(part.subtree.elements for part in parts),
                kinds=kinds,
                children=children,
            ),
        )


def _parameter(row: PlannedParameter, kind: Hashable, signatures: dict[Hashable, int]) -> _Part:
    counted = row.status is not Status.DUPLICATE
    word = row.name.rpartition(".")[2]
    return _Part(
        word=word,
        tail="",
        signature=signatures.setdefault(("parameter", kind), len(signatures)),
        subtree=Subtree(
            name=escape(word),
            is_module=False,
            parameters=int(counted),
            elements=row.elements if counted else 0,
            kinds={kind: RowKind(first=row, names=1)},
        ),
    )


def _folded(parts: Iterable[_Part]) -> list[tuple[Subtree, int]]:
    """Return numbered siblings that look alike as one each, with their signature, in the parts' order."""
    alike: dict[Hashable, list[_Part]] = {}
    for part in parts:
        found = _numbered(part.word)
        key = (found[0], part.tail, part.signature) if found else part.word
        alike.setdefault(key, []).append(part)
    return [(_together(same), same[0].signature) for same in alike.values()]


_numbered = lru_cache(maxsize=4096)(numbered)  # few words make up many names


def _together(alike: list[_Part]) -> Subtree:
    if len(alike) == 1:
        return alike[0].subtree
    words = Words(frozenset(part.word for part in alike))
    return _merged(written((words,)) + alike[0].tail, [part.subtree for part in alike])


def _merged(name: str, subtrees: Sequence[Subtree]) -> Subtree:
    """Return subtrees that look alike as one."""
    first = subtrees[0]
    return Subtree(
        name=name,
        is_module=first.is_module,
        parameters=sum(subtree.parameters for subtree in subtrees),
        elements=sum(subtree.elements for subtree in subtrees),
        kinds=together(subtree.kinds for subtree in subtrees),
        children=tuple(
            _merged(same[0].name, same)
            for same in zip(*(subtree.children for subtree in subtrees), strict=True)
        ),
    )
