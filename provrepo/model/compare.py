"""Comparing two documents, and saying how they differ.

Identifiers that mean nothing outside their document (blank nodes, skolem IRIs) may be called anything: the documents
are the same when those of one can be matched with those of the other so that the same is said. The match is looked
for by colour refinement over both documents at once; where that leaves nodes alike, one of them is singled out and
tried with each of its candidates (McKay and Piperno, "Practical graph isomorphism II", 2014). That search may take
exponentially long, so it has a budget of steps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple, TypeAlias

from provrepo.errors import TooLarge
from provrepo.model.canonical import identifier, line, literal, mentioned, merged, parts, separated, unreferred
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, is_anonymous
from provrepo.model.operations import EquivalenceResult, operations
from provrepo.model.rendering import Renderer
from provrepo.model.statements import Argument, Kind, Statement
from provrepo.model.unmapped import uses_prov_terms

__all__ = ["MAX_STEPS", "ChangedStatement", "Comparison", "Difference", "compare"]

MAX_STEPS = 1_000_000
"""How many times a statement may be looked at while anonymous identifiers are matched: some ten seconds."""


_PASSED = 50
"""How many nodes or cells are passed in the time in which a statement is looked at."""


class ChangedStatement(NamedTuple):
    """One statement that both documents make, differently.

    Attributes:
        kind: the statement's PROV-N keyword.
        subject: what identifies it, as text: its identifier, or what it relates.
        left: the arguments and attributes that only the left document has, as text.
        right: those that only the right one has.
    """

    kind: str
    subject: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    def __str__(self) -> str:
        head = f"~ {self.kind}({self.subject})"
        return "\n".join([head, *(f"  - {part}" for part in self.left), *(f"  + {part}" for part in self.right)])


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not the same in two documents.

    Attributes:
        left: statements that only the left document makes, as text, sorted; so are triples in PROV's words that make
            no statement, as ``triple(subject, property, object)``.
        right: those that only the right one makes.
        changed: statements of one kind about the same thing, or relating the same things, that differ in the rest.
    """

    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    changed: tuple[ChangedStatement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.left or self.right or self.changed)

    def __str__(self) -> str:
        return "\n".join(
            [f"- {text}" for text in self.left] + [f"+ {text}" for text in self.right] + [str(c) for c in self.changed]
        )


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing two documents.

    Attributes:
        same: whether both make the same statements.
        difference: what only one of them says, and what they say differently.
        equivalent: PROV-CONSTRAINTS equivalence, judged when it is first asked for; None where a document is invalid
            or it could not be found out.
        equivalence: the same with a sentence that says why, ``reason``, and the ``difference`` of the normal forms.
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
        """Whether the documents are equivalent, and why not."""
        return operations().equivalent(self.left, self.right)


def compare(left: Document, right: Document, *, max_steps: int = MAX_STEPS) -> Comparison:
    """Whether two documents make the same statements, in the same bundles, across formats.

    Triples in PROV's words that make no statement, such as ``prov:used "text"``, must be the same too. Other triples
    that PROV has no place for are not looked at.

    Args:
        left: one document.
        right: the other.
        max_steps: how many times a statement may be looked at while anonymous identifiers are matched.

    Raises:
        TooLarge: matching the anonymous identifiers takes more steps.
    """
    sides = _Side(left), _Side(right)
    found = _Matching(sides, max_steps).difference()
    renderers = (Renderer.of(left, right), Renderer.of(right, left))
    difference = _explained(found, sides, renderers) if found else Difference()
    difference = _with_extensions(difference, left, right, renderers[0])
    return Comparison(not difference, difference, left, right)


def _with_extensions(difference: Difference, left: Document, right: Document, renderer: Renderer) -> Difference:
    """The difference with what extends PROV-N in one document only; blank nodes in that are matched by their names."""
    ours, theirs = (
        {
            renderer.extension(extension)
            + ("" if instance.id is None else f" in bundle {renderer.identifier(instance.id)}")
            for instance in document.instances()
            for extension in instance.extensions
        }
        for document in (left, right)
    )
    if ours == theirs:
        return difference
    return replace(
        difference,
        left=tuple(sorted({*difference.left, *(ours - theirs)})),
        right=tuple(sorted({*difference.right, *(theirs - ours)})),
    )


class _PlacedStatement(NamedTuple):
    """A statement and the bundle it stands in."""

    statement: Statement
    bundle: Identifier | None


class _Side:
    """One document: its statements, and where each anonymous identifier is mentioned.

    Attributes:
        places: all its canonical statements.
        held: for each anonymous identifier that matters, the places that mention it.
        colours: what anonymous identifiers are called for the time being.
    """

    def __init__(self, document: Document) -> None:
        self.places: list[_PlacedStatement] = []
        holders: dict[str, list[Statement]] = defaultdict(list)
        self.held: dict[str, list[_PlacedStatement]] = defaultdict(list)
        for place in _places(document):
            self.places.append(place)
            for name in _anonymous(place):
                holders[name].append(place.statement)
                self.held[name].append(place)
        silent = unreferred(holders)
        for name in silent:
            del self.held[name]
        self.colours = {name: "" if name in silent else "?" for name in holders}

    def text(self, place: _PlacedStatement) -> str:
        """The line of a statement, with the anonymous called by their colours."""
        where = "" if place.bundle is None else f" in {identifier(place.bundle, self.colours)}"
        return line(place.statement, self.colours) + where


_TRIPLE = Kind("triple", (Argument("subject"), Argument("property"), Argument("object")), identified=False)
"""Stands for a triple in PROV's words of which no statement is made."""


def _places(document: Document) -> Iterator[_PlacedStatement]:
    """What a document says, its triples included that were meant to say something of PROV and make no statement."""
    for instance in document.instances():
        for statement in separated(merged(instance.statements)):
            yield _PlacedStatement(statement, instance.id)
    for quad in dict.fromkeys(quad for quad, reason in document.unmapped.triples() if uses_prov_terms(quad, reason)):
        value = quad.object if isinstance(quad.object, Identifier) else literal(quad.object)
        yield _PlacedStatement(Statement(_TRIPLE, None, (quad.subject, quad.predicate, value)), quad.graph)


def _anonymous(place: _PlacedStatement) -> Iterator[str]:
    names = mentioned(place.statement)
    if place.bundle is not None:
        names.add(place.bundle)
    return (name for name in sorted(names) if is_anonymous(name))


_Node: TypeAlias = tuple[int, str]
"""An anonymous identifier of the left (0) or right (1) document."""

_Found: TypeAlias = tuple[list[_PlacedStatement], list[_PlacedStatement]]


class _Matching:
    """Matches the anonymous identifiers of two documents.

    Nodes are kept in cells of nodes that look alike so far; a colour is the number of a cell. All of a cell have the
    same signature: what is said of the node, in terms of the colours of the others. Only nodes whose neighbours
    changed their colour are looked at again.
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
            for name in side.held:
                self._members[0][number, name] = None
                self._cell[number, name] = 0

    def difference(self) -> _Found | None:
        """What the documents do not share; None where they match.

        The coarsest colouring that shows a difference says where it is; a finer one would show it all around.
        """
        found = self._unshared()
        if found is not None or not self._cell:
            return found
        if not self._refine(list(self._cell)):
            return self._unshared()
        return self._unshared() or self._search()

    def _unshared(self) -> _Found | None:
        ours, theirs = (Counter(map(side.text, side.places)) for side in self._sides)
        if ours == theirs:
            return None
        result: _Found = ([], [])
        for number, rest in enumerate((ours - theirs, theirs - ours)):
            side = self._sides[number]
            for place in side.places:
                text = side.text(place)
                if rest[text] > 0:
                    rest[text] -= 1
                    result[number].append(place)
        return result

    # --- refinement

    def _refine(self, dirty: Iterable[_Node]) -> bool:
        """Split cells until all of a cell look alike; False as soon as a cell has more nodes of one side."""
        queue = dict.fromkeys(dirty)
        while queue:
            by_cell: dict[int, dict[tuple[str, ...], list[_Node]]] = {}
            for node in queue:
                cell = self._cell[node]
                # A pair is not split any more. Whether it fits is seen from its neighbours, who mention it.
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
            queue = dict.fromkeys(other for node in moved for other in self._neighbours(node))
        return True

    def _leaving(
        self, cell: int, groups: dict[tuple[str, ...], list[_Node]]
    ) -> Sequence[tuple[tuple[str, ...], list[_Node]]]:
        """The groups of a cell that must leave it: all but those that look as before, or all but the largest."""
        looked_at = sum(map(len, groups.values()))
        if looked_at < len(self._members[cell]):
            return [(signature, group) for signature, group in groups.items() if signature != self._signatures[cell]]
        kept = max(groups, key=lambda signature: (len(groups[signature]), signature))
        before = self._signatures[cell]
        self._journal.append(lambda: self._signatures.__setitem__(cell, before))
        self._signatures[cell] = kept
        return [(signature, group) for signature, group in groups.items() if signature != kept]

    def _signature(self, node: _Node) -> tuple[str, ...]:
        number, name = node
        side = self._sides[number]
        held = side.held[name]
        self._spend(len(held))
        own, side.colours[name] = side.colours[name], "!"
        signature = tuple(sorted(map(side.text, held)))
        side.colours[name] = own
        return signature

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise TooLarge(
                f"the documents have too many blank nodes that are alike: more than {self._limit} steps to match them"
            )

    def _neighbours(self, node: _Node) -> Iterator[_Node]:
        number, name = node
        held = self._sides[number].held
        for place in held[name]:
            for other in _anonymous(place):
                if other != name and other in held:
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
        self._sides[node[0]].colours[node[1]] = f"?{cell}"

    # --- search

    def _search(self) -> _Found | None:
        """Try matches for nodes that look alike; None once every node has its own and all lines agree."""
        first = self._tied()
        if first is None:
            return None
        alike = list(self._members[first])
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
            if not self._refine([*pair, *self._neighbours(node), *self._neighbours(other)]):
                continue
            tied = self._tied()
            if tied is not None:
                branches.append(self._branch(tied))
            elif self._unshared() is None:
                return None
        # Each statement has its like, but they hang together differently: all that speak of the nodes are told.
        return self._speaking_of(alike, 0), self._speaking_of(alike, 1)

    def _tied(self) -> int | None:
        """The smallest cell of nodes that are linked with nodes which are alike as well.

        Any other nodes that are alike may be matched in any way: all that is said of them, they have in common.
        """
        # Each branch passes all cells and all nodes of one, which is quick for each and quadratic for all.
        self._spend(len(self._members) // _PASSED)
        tied = (
            (len(nodes), cell)
            for cell, nodes in self._members.items()
            if len(nodes) > 2
            and any(len(self._members[self._cell[other]]) > 2 for other in self._neighbours(next(iter(nodes))))
        )
        return min(tied, default=(0, None))[1]

    def _branch(self, cell: int) -> tuple[_Node, Iterator[_Node], int]:
        self._spend(len(self._members[cell]) // _PASSED)
        nodes = list(self._members[cell])
        left = next(node for node in nodes if node[0] == 0)
        return left, iter([node for node in nodes if node[0] == 1]), len(self._journal)

    def _undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            self._journal.pop()()

    def _speaking_of(self, nodes: Iterable[_Node], number: int) -> list[_PlacedStatement]:
        names = {name for side, name in nodes if side == number}
        return [place for place in self._sides[number].places if not names.isdisjoint(_anonymous(place))]


def _is_balanced(nodes: Sequence[_Node]) -> bool:
    return 2 * sum(number for number, _ in nodes) == len(nodes)


# --- what is told


def _explained(found: _Found, sides: tuple[_Side, _Side], renderers: tuple[Renderer, Renderer]) -> Difference:
    changed, rest = [], found
    for key in _KEYS:
        pairs, rest = _paired(rest, key)
        for pair in pairs:
            change = _change(pair, sides, renderers)
            if change is not None:
                changed.append(change)
            else:
                for held, place in zip(rest, pair, strict=True):
                    held.append(place)
    left, right = (
        tuple(sorted(_text(place, renderer) for place in held)) for held, renderer in zip(rest, renderers, strict=True)
    )
    return Difference(left, right, tuple(sorted(changed)))


def _text(place: _PlacedStatement, renderer: Renderer) -> str:
    return renderer.statement(place.statement) + _where(place, renderer)


def _where(place: _PlacedStatement, renderer: Renderer) -> str:
    return "" if place.bundle is None else f" in bundle {renderer.identifier(place.bundle)}"


_Key: TypeAlias = Callable[[Statement], object]

_KEYS: tuple[_Key, ...] = (
    lambda s: None if s.id is None or is_anonymous(s.id) else s.id,
    lambda s: None if s.kind.element else s.args,
    lambda s: None if s.kind.element or None in s.args[:2] or len(s.args) < 3 else s.args[:2],
)
"""What makes two statements of one kind versions of each other, the strongest first."""


def _paired(found: _Found, key: _Key) -> tuple[list[tuple[_PlacedStatement, _PlacedStatement]], _Found]:
    """Statements of the two sides that are about the same, and those that remain."""
    waiting: dict[object, list[_PlacedStatement]] = defaultdict(list)
    for place in found[1]:
        waiting[_about(place, key)].append(place)
    pairs, left, taken = [], [], set()
    for place in found[0]:
        about = _about(place, key)
        if about is not None and waiting[about]:
            other = waiting[about].pop(0)
            taken.add(id(other))
            pairs.append((place, other))
        else:
            left.append(place)
    return pairs, (left, [place for place in found[1] if id(place) not in taken])


def _about(place: _PlacedStatement, key: _Key) -> object:
    about = key(place.statement)
    return None if about is None else (place.statement.kind.name, place.bundle, about)


def _change(
    pair: tuple[_PlacedStatement, _PlacedStatement], sides: tuple[_Side, _Side], renderers: tuple[Renderer, Renderer]
) -> ChangedStatement | None:
    """How two statements differ; None where it is only in which anonymous identifiers they mention."""
    ours, theirs = (
        dict(zip(parts(place.statement, side.colours), renderer.parts(place.statement), strict=True))
        for place, side, renderer in zip(pair, sides, renderers, strict=True)
    )
    left = tuple(text for part, text in ours.items() if part not in theirs)
    right = tuple(text for part, text in theirs.items() if part not in ours)
    if not left and not right:
        return None
    subject = renderers[0].subject(pair[0].statement, pair[1].statement) + _where(pair[0], renderers[0])
    return ChangedStatement(pair[0].statement.kind.name, subject, left, right)
