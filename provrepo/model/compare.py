"""Whether two documents make the same statements, and their difference.

The names of anonymous identifiers (blank nodes, skolem IRIs) do not matter: the documents are the same if the anonymous
identifiers of one can be matched with those of the other so that the statements are equal. The match is found by color
refinement over both documents at once. Where that leaves nodes in one cell, one of them is matched with each of its
candidates in turn (McKay and Piperno, "Practical graph isomorphism II", 2014). That search may take exponential time,
so it has a limit of steps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeAlias

from provrepo.errors import TooLarge
from provrepo.model.canonical import identifier, line, literal, mentioned, merged, parts, separated, unreferred
from provrepo.model.difference import ChangedPair, ChangedStatement, Difference, PlacedStatement, StatementDifference
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, is_anonymous
from provrepo.model.operations import EquivalenceResult, operations
from provrepo.model.rendering import Renderer
from provrepo.model.statements import Argument, Kind, Statement
from provrepo.model.unmapped import uses_prov_terms

__all__ = ["MAX_STEPS", "Comparison", "compare", "statement_difference"]

MAX_STEPS = 1_000_000
"""The most statements that are visited while anonymous identifiers are matched; it takes about ten seconds."""


_NODES_PER_STEP = 50
"""The number of nodes or cells that are visited in the time in which one statement is."""


@dataclass(frozen=True)
class Comparison:
    """The result of comparing two documents.

    Attributes:
        same: whether both make the same statements.
        difference: the statements of one document alone, and those with different parts.
        equivalent: equivalence by PROV-CONSTRAINTS, computed at the first use; None if a document is invalid, or if it
            could not be determined.
        equivalence: the same with its ``reason``, a sentence, and the ``difference`` of the normal forms.
    """

    same: bool
    difference: Difference
    left: Document = field(repr=False, compare=False)
    right: Document = field(repr=False, compare=False)

    @property
    def equivalent(self) -> bool | None:
        """Whether the documents are equivalent by PROV-CONSTRAINTS (section 7)."""
        return self.equivalence.equivalent

    @cached_property
    def equivalence(self) -> EquivalenceResult:
        """Whether the documents are equivalent, with the reason."""
        return operations().equivalent(self.left, self.right)


def compare(left: Document, right: Document, *, max_steps: int = MAX_STEPS) -> Comparison:
    """Whether two documents make the same statements, in the same bundles, across formats.

    Unmapped triples that use terms of PROV, such as ``prov:used "text"``, must be the same too. Other unmapped triples
    are ignored.

    Args:
        left: one document.
        right: the other.
        max_steps: the most statements that are visited while anonymous identifiers are matched.

    Raises:
        TooLarge: matching the anonymous identifiers takes more steps.
    """
    renderers = (Renderer.of(left, right), Renderer.of(right, left))
    found = statement_difference(left, right, max_steps=max_steps)
    ours, theirs = (
        tuple(sorted([*(_text(placed, renderer) for placed in side), *extensions]))
        for side, renderer, extensions in zip((found.left, found.right), renderers, found.extensions, strict=True)
    )
    difference = Difference(ours, theirs, tuple(sorted(pair.parts for pair in found.changed)))
    return Comparison(not difference, difference, left, right)


def statement_difference(left: Document, right: Document, *, max_steps: int = MAX_STEPS) -> StatementDifference:
    """The difference of two documents as statements; arguments and errors as for ``compare``."""
    sides = _Side(left), _Side(right)
    found = _Matching(sides, max_steps).difference()
    renderers = (Renderer.of(left, right), Renderer.of(right, left))
    difference = _explained(found, sides, renderers) if found else StatementDifference()
    return difference._replace(extensions=_extensions(left, right, renderers[0]))


def _extensions(left: Document, right: Document, renderer: Renderer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The extension statements of each document alone. Blank nodes in them are matched by name."""
    ours, theirs = (
        {
            renderer.extension(extension)
            + ("" if instance.id is None else f" in bundle {renderer.identifier(instance.id)}")
            for instance in document.instances()
            for extension in instance.extensions
        }
        for document in (left, right)
    )
    return tuple(sorted(ours - theirs)), tuple(sorted(theirs - ours))


class _Side:
    """One document: its statements, and which of them mention each anonymous identifier.

    Attributes:
        statements: all canonical statements.
        mentions: anonymous identifier → the statements that mention it, for those that something refers to.
        colors: anonymous identifier → its current color.
    """

    def __init__(self, document: Document) -> None:
        self.statements: list[PlacedStatement] = []
        everywhere: dict[str, list[Statement]] = defaultdict(list)
        self.mentions: dict[str, list[PlacedStatement]] = defaultdict(list)
        for placed in _placed(document):
            self.statements.append(placed)
            for name in _anonymous(placed):
                everywhere[name].append(placed.statement)
                self.mentions[name].append(placed)
        unnamed = unreferred(everywhere)
        for name in unnamed:
            del self.mentions[name]
        self.colors = {name: "" if name in unnamed else "?" for name in everywhere}

    def text(self, placed: PlacedStatement) -> str:
        """The line of a statement, with colors for anonymous identifiers."""
        where = "" if placed.bundle is None else f" in {identifier(placed.bundle, self.colors)}"
        return line(placed.statement, self.colors) + where


_TRIPLE = Kind("triple", (Argument("subject"), Argument("property"), Argument("object")), identified=False)
"""Stands for an unmapped triple that uses terms of PROV."""


def _placed(document: Document) -> Iterator[PlacedStatement]:
    """The canonical statements of a document, and its unmapped triples that use terms of PROV."""
    for instance in document.instances():
        for statement in separated(merged(instance.statements)):
            yield PlacedStatement(statement, instance.id)
    for quad in dict.fromkeys(quad for quad, reason in document.unmapped.triples() if uses_prov_terms(quad, reason)):
        value = quad.object if isinstance(quad.object, Identifier) else literal(quad.object)
        yield PlacedStatement(Statement(_TRIPLE, None, (quad.subject, quad.predicate, value)), quad.graph)


def _anonymous(placed: PlacedStatement) -> Iterator[str]:
    names = mentioned(placed.statement)
    if placed.bundle is not None:
        names.add(placed.bundle)
    return (name for name in sorted(names) if is_anonymous(name))


_Node: TypeAlias = tuple[int, str]
"""An anonymous identifier of the left (0) or right (1) document."""

_Found: TypeAlias = tuple[list[PlacedStatement], list[PlacedStatement]]


class _Matching:
    """Matches the anonymous identifiers of two documents.

    Nodes are in cells; a color is the number of a cell. All nodes of a cell have the same signature: the lines of the
    statements that mention the node, with colors for the other nodes. Only nodes whose neighbors changed their color
    are visited again.
    """

    def __init__(self, sides: tuple[_Side, _Side], steps: int) -> None:
        self._sides = sides
        self._limit = self._steps = steps
        self._members: dict[int, dict[_Node, None]] = {0: {}}
        self._cell: dict[_Node, int] = {}
        self._signatures: dict[int, tuple[str, ...]] = {0: ()}
        self._next = 1
        self._journal: list[Callable[[], None]] = []
        for number, side in enumerate(sides):
            for name in side.mentions:
                self._members[0][number, name] = None
                self._cell[number, name] = 0

    def difference(self) -> _Found | None:
        """The statements that the documents do not share; None if the documents match.

        The coarsest coloring with a difference locates it best; with a finer one further statements would differ too.
        """
        found = self._unshared()
        if found is not None or not self._cell:
            return found
        if not self._refine(list(self._cell)):
            return self._unshared()
        return self._unshared() or self._search()

    def _unshared(self) -> _Found | None:
        ours, theirs = (Counter(map(side.text, side.statements)) for side in self._sides)
        if ours == theirs:
            return None
        result: _Found = ([], [])
        for number, rest in enumerate((ours - theirs, theirs - ours)):
            side = self._sides[number]
            for placed in side.statements:
                text = side.text(placed)
                if rest[text] > 0:
                    rest[text] -= 1
                    result[number].append(placed)
        return result

    # --- refinement

    def _refine(self, dirty: Iterable[_Node]) -> bool:
        """Split cells until all nodes of each have one signature; False once a cell has more nodes of one side."""
        queue = dict.fromkeys(dirty)
        while queue:
            by_cell: dict[int, dict[tuple[str, ...], list[_Node]]] = {}
            for node in queue:
                cell = self._cell[node]
                # A pair is not split any more. Whether it matches follows from the signatures of its neighbors.
                if len(self._members[cell]) > 2:
                    by_cell.setdefault(cell, {}).setdefault(self._signature(node), []).append(node)
            moved: list[_Node] = []
            balanced = True
            for cell, groups in by_cell.items():
                for signature, group in self._leaving(cell, groups):
                    self._move(group, signature)
                    moved += group
                    balanced = balanced and _is_balanced(group)
            if not balanced:
                return False
            queue = dict.fromkeys(other for node in moved for other in self._neighbors(node))
        return True

    def _leaving(
        self, cell: int, groups: dict[tuple[str, ...], list[_Node]]
    ) -> Sequence[tuple[tuple[str, ...], list[_Node]]]:
        """The groups that must leave a cell: all but the one with the cell's signature, or all but the largest."""
        visited = sum(map(len, groups.values()))
        if visited < len(self._members[cell]):
            return [(signature, group) for signature, group in groups.items() if signature != self._signatures[cell]]
        kept = max(groups, key=lambda signature: (len(groups[signature]), signature))
        before = self._signatures[cell]
        self._journal.append(lambda: self._signatures.__setitem__(cell, before))
        self._signatures[cell] = kept
        return [(signature, group) for signature, group in groups.items() if signature != kept]

    def _signature(self, node: _Node) -> tuple[str, ...]:
        number, name = node
        side = self._sides[number]
        mentions = side.mentions[name]
        self._spend(len(mentions))
        own, side.colors[name] = side.colors[name], "!"
        signature = tuple(sorted(map(side.text, mentions)))
        side.colors[name] = own
        return signature

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise TooLarge(
                f"the documents have too many similar blank nodes: matching them takes more than {self._limit} steps"
            )

    def _neighbors(self, node: _Node) -> Iterator[_Node]:
        number, name = node
        mentions = self._sides[number].mentions
        for placed in mentions[name]:
            for other in _anonymous(placed):
                if other != name and other in mentions:
                    yield number, other

    def _move(self, nodes: Iterable[_Node], signature: tuple[str, ...]) -> None:
        cell = self._next
        self._next += 1
        self._members[cell] = {}
        self._signatures[cell] = signature
        self._journal.append(lambda: self._members.__delitem__(cell))
        for node in nodes:
            self._journal.append(partial(self._put, node, self._cell[node]))
            self._put(node, cell)

    def _put(self, node: _Node, cell: int) -> None:
        del self._members[self._cell[node]][node]
        self._members[cell][node] = None
        self._cell[node] = cell
        self._sides[node[0]].colors[node[1]] = f"?{cell}"

    # --- search

    def _search(self) -> _Found | None:
        """Try matches for nodes of one cell; None once every node has a match and all lines are equal."""
        first = self._tied()
        if first is None:
            return None
        similar = list(self._members[first])
        branches = [self._branch(first)]
        while branches:
            node, candidates, mark = branches[-1]
            self._undo(mark)
            other = next(candidates, None)
            if other is None:
                branches.pop()
                continue
            pair = [node, other]
            self._move(pair, ())
            if not self._refine([*pair, *self._neighbors(node), *self._neighbors(other)]):
                continue
            tied = self._tied()
            if tied is not None:
                branches.append(self._branch(tied))
            elif self._unshared() is None:
                return None
        # Each statement has a counterpart, but they are linked differently: all that mention the nodes are returned.
        return self._mentioning(similar, 0), self._mentioning(similar, 1)

    def _tied(self) -> int | None:
        """The smallest cell of several nodes that have a neighbor in another cell of several nodes.

        The nodes of any other cell may be matched in any way, since their statements are equal.
        """
        # Each branch visits all cells and all nodes of one cell: fast once, and quadratic in total.
        self._spend(len(self._members) // _NODES_PER_STEP)
        tied = (
            (len(nodes), cell)
            for cell, nodes in self._members.items()
            if len(nodes) > 2
            and any(len(self._members[self._cell[other]]) > 2 for other in self._neighbors(next(iter(nodes))))
        )
        return min(tied, default=(0, None))[1]

    def _branch(self, cell: int) -> tuple[_Node, Iterator[_Node], int]:
        self._spend(len(self._members[cell]) // _NODES_PER_STEP)
        nodes = list(self._members[cell])
        left = next(node for node in nodes if node[0] == 0)
        return left, iter([node for node in nodes if node[0] == 1]), len(self._journal)

    def _undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            self._journal.pop()()

    def _mentioning(self, nodes: Iterable[_Node], number: int) -> list[PlacedStatement]:
        names = {name for side, name in nodes if side == number}
        return [placed for placed in self._sides[number].statements if not names.isdisjoint(_anonymous(placed))]


def _is_balanced(nodes: Sequence[_Node]) -> bool:
    return 2 * sum(number for number, _ in nodes) == len(nodes)


# --- the difference as text


def _explained(found: _Found, sides: tuple[_Side, _Side], renderers: tuple[Renderer, Renderer]) -> StatementDifference:
    changed: list[ChangedPair] = []
    rest = found
    for key in _KEYS:
        pairs, rest = _paired(rest, key)
        for pair in pairs:
            change = _change(pair, sides, renderers)
            if change is not None:
                changed.append(ChangedPair(*pair, change))
            else:
                for side, placed in zip(rest, pair, strict=True):
                    side.append(placed)
    return StatementDifference(tuple(rest[0]), tuple(rest[1]), tuple(changed))


def _text(placed: PlacedStatement, renderer: Renderer) -> str:
    return renderer.statement(placed.statement) + _where(placed, renderer)


def _where(placed: PlacedStatement, renderer: Renderer) -> str:
    return "" if placed.bundle is None else f" in bundle {renderer.identifier(placed.bundle)}"


_Key: TypeAlias = Callable[[Statement], object]

_KEYS: tuple[_Key, ...] = (
    lambda s: None if s.id is None or is_anonymous(s.id) else s.id,
    lambda s: None if s.kind.element else s.args,
    lambda s: None if s.kind.element or None in s.args[:2] or len(s.args) < 3 else s.args[:2],
)
"""By which keys two statements of one kind correspond to each other, the strongest first."""


def _paired(found: _Found, key: _Key) -> tuple[list[tuple[PlacedStatement, PlacedStatement]], _Found]:
    """The statements of the two sides with equal keys, in pairs, and those that remain."""
    waiting: dict[object, list[PlacedStatement]] = defaultdict(list)
    for placed in found[1]:
        waiting[_key_of(placed, key)].append(placed)
    pairs, left, taken = [], [], set()
    for placed in found[0]:
        value = _key_of(placed, key)
        if value is not None and waiting[value]:
            other = waiting[value].pop(0)
            taken.add(id(other))
            pairs.append((placed, other))
        else:
            left.append(placed)
    return pairs, (left, [placed for placed in found[1] if id(placed) not in taken])


def _key_of(placed: PlacedStatement, key: _Key) -> object:
    value = key(placed.statement)
    return None if value is None else (placed.statement.kind.name, placed.bundle, value)


def _change(
    pair: tuple[PlacedStatement, PlacedStatement], sides: tuple[_Side, _Side], renderers: tuple[Renderer, Renderer]
) -> ChangedStatement | None:
    """The difference of two statements; None if they differ only in the anonymous identifiers that they mention."""
    ours, theirs = (
        dict(zip(parts(placed.statement, side.colors), renderer.parts(placed.statement), strict=True))
        for placed, side, renderer in zip(pair, sides, renderers, strict=True)
    )
    left = tuple(text for part, text in ours.items() if part not in theirs)
    right = tuple(text for part, text in theirs.items() if part not in ours)
    if not left and not right:
        return None
    subject = renderers[0].subject(pair[0].statement, pair[1].statement) + _where(pair[0], renderers[0])
    return ChangedStatement(pair[0].statement.kind.name, subject, left, right)
