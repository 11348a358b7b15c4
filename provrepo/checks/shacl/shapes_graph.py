"""A shapes graph: the triples of a file of shapes, for looking things up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from provrepo.checks.shacl.errors import NotCovered
from provrepo.checks.shacl.paths import Alternative, Closure, Path, Predicate, Sequence_
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.vocab import RDF, SH, XSD

__all__ = ["ShapesGraph", "sh"]

DEEPEST = 64
"""Levels of a path; a path that refers to itself has more."""

LONGEST = 100_000
"""Characters of a path in SPARQL syntax, which may be much longer than its triples."""

_FIRST, _REST, _NIL = RDF + "first", RDF + "rest", RDF + "nil"
_CLOSURES = {
    "zeroOrMorePath": (True, True, "*"),
    "oneOrMorePath": (False, True, "+"),
    "zeroOrOnePath": (True, False, "?"),
}
_INTEGERS = frozenset(
    XSD + name for name in ("integer", "nonNegativeInteger", "positiveInteger", "long", "int", "short", "byte")
)


@cache
def sh(name: str) -> str:
    """The IRI of a term of SHACL."""
    return SH + name


class ShapesGraph:
    """The triples of a file of shapes."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self.triples = list(dict.fromkeys(Quad(*quad[:3]) for quad in quads))
        self._objects: dict[tuple[Value, str], list[Value]] = {}
        self._subjects: dict[Value, list[Identifier]] = {}
        self._of: dict[Value, list[tuple[str, Value]]] = {}
        for subject, predicate, value, _ in self.triples:
            self._objects.setdefault((subject, predicate), []).append(value)
            self._subjects.setdefault(value, []).append(subject)
            self._of.setdefault(subject, []).append((predicate, value))

    def objects(self, subject: Value, predicate: str) -> list[Value]:
        """The values of a property."""
        return self._objects.get((subject, predicate), [])

    def triples_of(self, subject: Value) -> list[tuple[str, Value]]:
        """Predicates and objects of the triples with a subject."""
        return self._of.get(subject, [])

    def subjects(self, value: Value) -> list[Identifier]:
        """The subjects of all triples with an object."""
        return self._subjects.get(value, [])

    def first(self, subject: Value, predicate: str) -> Value | None:
        """The first value of a property; None where it has none."""
        found = self.objects(subject, predicate)
        return found[0] if found else None

    def at_most_one(self, subject: Value, predicate: str) -> Value | None:
        """The value of a property.

        Raises:
            NotCovered: it has several.
        """
        found = self.objects(subject, predicate)
        if len(found) > 1:
            raise NotCovered(f"{subject} has {len(found)} values of {predicate}")
        return found[0] if found else None

    def members(self, head: Value) -> list[Value]:
        """The members of a list.

        Raises:
            NotCovered: it is not a well-formed list (SHACL, section 1.4).
        """
        found: list[Value] = []
        seen: set[Value] = set()
        while head != _NIL:
            first, rest = self.objects(head, _FIRST), self.objects(head, _REST)
            if head in seen or len(first) != 1 or len(rest) != 1:
                raise NotCovered(f"{head} is not a well-formed list")
            seen.add(head)
            found.append(first[0])
            head = rest[0]
        return found

    def named_around(self, node: Value) -> str:
        """The IRI of a node; of a blank node, that of the nearest node with an IRI that leads to it."""
        seen: set[Value] = {node}
        level: list[Value] = [node]
        while level:
            names = sorted(each for each in level if isinstance(each, Identifier) and not is_blank(each))
            if names:
                return str(names[0])
            level = [subject for each in level for subject in self.subjects(each) if subject not in seen]
            seen.update(level)
        return str(node)

    # Parameters -------------------------------------------------------------------------------------------------

    def is_true(self, subject: Value, predicate: str) -> bool:
        """Whether a property has the value ``true``, in this spelling."""
        return any(isinstance(value, Literal) and value.lexical == "true" for value in self.objects(subject, predicate))

    def iri(self, value: Value) -> Identifier:
        """A value that has to be an IRI.

        Raises:
            NotCovered: it is not.
        """
        if not isinstance(value, Identifier) or is_blank(value):
            raise NotCovered(f"{value} is not an IRI")
        return value

    def text(self, value: Value) -> str:
        """A value that has to be a literal, as its lexical form.

        Raises:
            NotCovered: it is not.
        """
        if not isinstance(value, Literal):
            raise NotCovered(f"{value} is not a literal")
        return value.lexical

    def count(self, value: Value) -> int:
        """A value that has to be an integer from 0.

        Raises:
            NotCovered: it is not.
        """
        if not isinstance(value, Literal) or value.datatype not in _INTEGERS:
            raise NotCovered(f"{value} is not an integer")
        digits = value.lexical.removeprefix("+")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise NotCovered(f"{value} is not an integer from 0")
        return int(digits)

    # Paths ------------------------------------------------------------------------------------------------------

    def path(self, node: Identifier) -> tuple[Path, str]:
        """A property path, and its text: an IRI, or in SPARQL syntax.

        Raises:
            NotCovered: it is not well-formed (SHACL, section 2.3.1).
        """
        path, text = self._path(node, inverse=False, depth=0)
        return path, text if is_blank(node) else str(node)

    def _path(self, node: Value, *, inverse: bool, depth: int) -> tuple[Path, str]:
        """A path, or what leads the other way along it: the inverse is pushed down to the predicates."""
        if isinstance(node, Literal) or depth > DEEPEST:
            raise NotCovered(f"{node} is not a property path")
        if not is_blank(node):
            return Predicate(str(node), inverse=inverse), f"<{node}>"
        if self.objects(node, _FIRST):
            steps, text = self._parts(node, " / ", inverse=inverse, depth=depth)
            return Sequence_(steps[::-1] if inverse else steps), text
        forms = [
            (predicate.removeprefix(SH), value) for predicate, value in self.triples_of(node) if _is_form(predicate)
        ]
        if len(forms) != 1:
            raise NotCovered(f"{node} is not a property path")
        ((form, value),) = forms
        if form == "alternativePath":
            choices, text = self._parts(value, " | ", inverse=inverse, depth=depth)
            return Alternative(choices), text
        if form == "inversePath":
            path, text = self._path(value, inverse=not inverse, depth=depth + 1)
            return path, f"^{text}"
        path, text = self._path(value, inverse=inverse, depth=depth + 1)
        zero, many, mark = _CLOSURES[form]
        return Closure(path, zero=zero, many=many), text + mark

    def _parts(self, head: Value, sign: str, *, inverse: bool, depth: int) -> tuple[list[Path], str]:
        parts = [self._path(part, inverse=inverse, depth=depth + 1) for part in self.members(head)]
        if len(parts) < 2:
            raise NotCovered(f"{head} has fewer than two paths")
        text = sign.join(part for _, part in parts)
        if len(text) > LONGEST:
            raise NotCovered(f"{head} is a property path of more than {LONGEST:,} characters")
        return [path for path, _ in parts], text if depth == 0 else f"({text})"


_FORMS = frozenset(SH + name for name in ("alternativePath", "inversePath", *_CLOSURES))


def _is_form(predicate: str) -> bool:
    return predicate in _FORMS
