"""An RDF graph as columns of integers, which is what the evaluator of SHACL reads.

Each RDF term has a number. The triples of one predicate are two columns, the numbers of the subjects and of the
objects. Sets and indexes are derived from the columns when they are first needed.

Nodes that completion adds are stored as the triple that they stand for. Their IRIs, which are digests, are computed
when they are read: most of them never are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias, TypeVar

from provrepo.checks.shacl.errors import DeadlinePassed, TooManyResults
from provrepo.codecs.provo.completion import minted
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.vocab import RDF_TYPE, RDFS

__all__ = ["MOST_RESULTS", "Graph", "Index", "Nodes", "Pairs"]

Nodes: TypeAlias = "set[int]"
"""Numbers of RDF terms."""

Index: TypeAlias = "Mapping[int, Collection[int]]"
"""The terms at one end of the triples of a predicate by the term at the other end, each once and in source order."""

_SUBCLASS_OF = RDFS + "subClassOf"
_MINTED_SCHEME = "urn:uuid:"
MOST_RESULTS = 2_000_000
"""Results of one graph. Few triples can have very many, such as all pairs of times of one activity."""
_FEW = 8
"""Values of one node up to which a tuple is searched as fast as a dictionary."""

T = TypeVar("T")


class Pairs:
    """The triples of one predicate.

    Attributes:
        subjects: numbers of the subjects, in source order; a triple may be there twice.
        objects: numbers of the objects, in the same order.
    """

    __slots__ = ("_by_object", "_by_subject", "_domain", "_range", "objects", "subjects")

    def __init__(self) -> None:
        self.subjects: list[int] = []
        self.objects: list[int] = []
        self.forget()

    def forget(self) -> None:
        """Discard what was derived from the columns, which have changed."""
        self._domain: Nodes | None = None
        self._range: Nodes | None = None
        self._by_subject: Index | None = None
        self._by_object: Index | None = None

    def domain(self) -> Nodes:
        """All subjects. The set is shared: do not change it."""
        if self._domain is None:
            self._domain = set(self.subjects)
        return self._domain

    def range(self) -> Nodes:
        """All objects. The set is shared: do not change it."""
        if self._range is None:
            self._range = set(self.objects)
        return self._range

    def by_subject(self) -> Index:
        """The objects of each subject."""
        if self._by_subject is None:
            self._by_subject = _index(self.subjects, self.objects)
        return self._by_subject

    def by_object(self) -> Index:
        """The subjects of each object."""
        if self._by_object is None:
            self._by_object = _index(self.objects, self.subjects)
        return self._by_object


def _index(keys: list[int], values: list[int]) -> Index:
    index: dict[int, Any] = {}
    get = index.get
    for key, value in zip(keys, values, strict=True):
        known = get(key)
        if known is None:
            index[key] = (value,)
        elif type(known) is not tuple:
            known[value] = None
        elif value not in known:
            if len(known) < _FEW:
                index[key] = (*known, value)
            else:
                index[key] = grown = dict.fromkeys(known)
                grown[value] = None
    return index


_NO_PAIRS = Pairs()


class Graph:
    """The triples of one instance of a document, or any others.

    Attributes:
        predicates: the triples by the IRI of their predicate, in the order of their first triple.
        deadline: reading of ``time.monotonic`` after which ``check_deadline`` raises; None for none.
    """

    __slots__ = (
        "_blanks",
        "_literals",
        "_memo",
        "_named",
        "_numbers",
        "_results",
        "_scanned",
        "_terms",
        "_unnamed",
        "deadline",
        "predicates",
    )

    def __init__(self, quads: Iterable[Quad] = (), *, deadline: float | None = None) -> None:
        self.predicates: dict[str, Pairs] = {}
        self.deadline = deadline
        self._terms: list[Any] = []
        self._numbers: dict[Value, int] = {}
        # Whether nodes are stored as triples, and whether IRIs are in the graph that such nodes could have.
        self._unnamed = False
        self._named: bool | None = None
        self._scanned = 0
        self._literals: Nodes = set()
        self._blanks: Nodes = set()
        self._memo: dict[Any, Any] = {}
        self._results = 0
        self.add(quads)

    def add(self, quads: Iterable[Quad]) -> None:
        """Add triples; the graphs that quads name are ignored."""
        predicates, number, name = self.predicates, self._numbers.get, self.number
        for subject, predicate, value, _ in quads:
            pairs = predicates.get(predicate)
            if pairs is None:
                pairs = predicates[predicate] = Pairs()
            left, right = number(subject), number(value)
            pairs.subjects.append(name(subject) if left is None else left)
            pairs.objects.append(name(value) if right is None else right)
        self.changed()

    def changed(self) -> None:
        """Discard what was derived from the triples. To be called after columns were changed."""
        self._memo.clear()
        for pairs in self.predicates.values():
            pairs.forget()

    def copy(self) -> Graph:
        """A graph with the same triples and the same numbers, which can be changed by itself."""
        twin = Graph(deadline=self.deadline)
        twin._terms, twin._numbers = list(self._terms), dict(self._numbers)
        twin._named, twin._unnamed = self._named, self._unnamed
        for predicate, pairs in self.predicates.items():
            made = twin.predicates[predicate] = Pairs()
            made.subjects, made.objects = list(pairs.subjects), list(pairs.objects)
        return twin

    def pairs(self, predicate: str) -> Pairs:
        """The triples of a predicate; without triples where there are none."""
        return self.predicates.get(predicate, _NO_PAIRS)

    def columns(self, predicate: str) -> Pairs:
        """The triples of a predicate, to add some to them."""
        pairs = self.predicates.get(predicate)
        if pairs is None:
            pairs = self.predicates[predicate] = Pairs()
        return pairs

    def quads(self, predicates: Iterable[str] | None = None) -> Iterator[Quad]:
        """The triples of some predicates, or all; one may come twice."""
        for predicate in self.predicates if predicates is None else predicates:
            pairs, iri = self.pairs(predicate), Identifier(predicate)
            for subject, value in zip(pairs.subjects, pairs.objects, strict=True):
                yield Quad(self.identifier(subject), iri, self.term(value))

    # Terms ------------------------------------------------------------------------------------------------------

    def number(self, term: Value) -> int:
        """The number of a term, which gets one if it has none.

        Literals whose language tags differ only in case are one term (RDF 1.1 Concepts, section 3.3).
        """
        number = self.find(term)
        if number is None:
            number = self._numbers[term] = len(self._terms)
            self._terms.append(term)
            if isinstance(term, Literal) and term.language:
                self._numbers[_folded(term)] = number
        return number

    def find(self, term: Value) -> int | None:
        """The number of a term; None where it is not in the graph."""
        number = self._numbers.get(term)
        if number is not None:
            return number
        if isinstance(term, Literal):
            return self._numbers.get(_folded(term)) if term.language else None
        if self._unnamed and term.startswith(_MINTED_SCHEME):
            self._name_all()
            return self._numbers.get(term)
        return None

    def term(self, number: int) -> Value:
        """The term with a number."""
        term: Any = self._terms[number]
        if type(term) is tuple:
            subject, predicate, value = term
            term = self._terms[number] = minted(self.identifier(subject), predicate, self.identifier(value))
        return term  # type: ignore[no-any-return]

    def identifier(self, number: int) -> Identifier:
        """The term with a number, which is an IRI or a blank node."""
        return self.term(number)  # type: ignore[return-value]

    def mint(self, subjects: Sequence[int], predicate: Identifier, objects: Sequence[int]) -> Sequence[int]:
        """The numbers of nodes that stand for triples (``provrepo.codecs.provo.completion.minted``).

        Returns:
            A range where no triple of the graph has any of the nodes yet.
        """
        triples = zip(subjects, repeat(predicate), objects, strict=False)
        if self._named is None:
            self._named = any(isinstance(term, str) and term.startswith(_MINTED_SCHEME) for term in self._numbers)
        if self._named:
            # One of the IRIs may be in the graph already, where it has a number.
            return [self.number(minted(self.identifier(s), p, self.identifier(o))) for s, p, o in triples]
        start = len(self._terms)
        self._terms.extend(triples)
        self._unnamed = True
        return range(start, len(self._terms))

    def _name_all(self) -> None:
        """Compute the IRIs of all nodes that stand for triples, so that they can be found by them."""
        self._unnamed, self._named = False, True
        for number, term in enumerate(self._terms):
            if type(term) is tuple or (isinstance(term, str) and term.startswith(_MINTED_SCHEME)):
                self._numbers.setdefault(self.identifier(number), number)

    # Sets -------------------------------------------------------------------------------------------------------

    def memo(self, key: Any, make: Callable[[], T]) -> T:
        """What a function returns, computed once for this graph and this key."""
        try:
            found: T = self._memo[key]
        except KeyError:
            found = self._memo[key] = make()
        return found

    def literals(self) -> Nodes:
        """The terms that are literals. The set is shared: do not change it."""
        self._scan()
        return self._literals

    def blanks(self) -> Nodes:
        """The terms that are blank nodes. The set is shared: do not change it."""
        self._scan()
        return self._blanks

    def _scan(self) -> None:
        for number in range(self._scanned, len(self._terms)):
            term = self._terms[number]
            if isinstance(term, str):
                if term.startswith("_:"):
                    self._blanks.add(number)
            elif type(term) is not tuple:
                self._literals.add(number)
        self._scanned = len(self._terms)

    def instances(self, cls: Identifier) -> Nodes:
        """The SHACL instances of a class (SHACL, section 1.1): of the class itself and of all that are below it.

        The set is shared: do not change it.
        """
        return self.memo(("instances", cls), lambda: self._instances(cls))

    def _instances(self, cls: Identifier) -> Nodes:
        number = self.find(cls)
        if number is None:
            return set()
        below = self.pairs(_SUBCLASS_OF).by_object()
        classes, pending = {number}, [number]
        while pending:
            for narrower in below.get(pending.pop(), ()):
                if narrower not in classes:
                    classes.add(narrower)
                    pending.append(narrower)
        by_class = self.pairs(RDF_TYPE).by_object()
        return set().union(*(by_class.get(each, ()) for each in classes))

    def check_deadline(self) -> None:
        """Return if there is time left.

        Raises:
            DeadlinePassed: there is none.
        """
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise DeadlinePassed

    def count_results(self, count: int = 1) -> None:
        """Count results that were found.

        Raises:
            TooManyResults: they are more than ``MOST_RESULTS``.
            DeadlinePassed: see ``check_deadline``.
        """
        self._results += count
        if self._results > MOST_RESULTS:
            raise TooManyResults
        if not self._results % 1024:
            self.check_deadline()


def _folded(literal: Literal) -> Literal:
    return Literal(literal.lexical, literal.datatype, (literal.language or "").lower())
