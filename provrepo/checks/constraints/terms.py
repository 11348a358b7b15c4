"""Terms as small integers: identifiers, time instants and existential variables.

Unification (PROV-CONSTRAINTS section 6.1) equates terms. Most existential variables occur once: the identifier of an
anonymous relation, or an absent time. The number ``FRESH`` stands for all of these, since unification with one of them
has no effect elsewhere. Blank nodes may occur several times, and each is a variable with its own number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from provrepo.model.identifiers import is_anonymous

__all__ = ["CLASH", "FRESH", "NONE", "Terms", "canonical_time", "comparable_time"]

FRESH = 0
"""An existential variable that occurs nowhere else."""

NONE = 1
"""The placeholder ``-`` where it is not expandable: a constant that differs from all others."""

CLASH = -1
"""The result of unifying two different constants."""

_CLOCK = slice(11, 19)
_BEYOND_MICROSECONDS = re.compile(r"\.\d{6}\d")


def comparable_time(lexical: str) -> datetime | None:
    """An ``xsd:dateTime`` as a datetime that can be compared: in UTC if it has an offset, otherwise without time zone.

    Returns:
        None where a datetime cannot represent it: years beyond 9999, more digits than microseconds, or no instant.
    """
    # Python truncates further digits silently.
    if "." in lexical and _BEYOND_MICROSECONDS.search(lexical):
        return None
    midnight = lexical[_CLOCK] == "24:00:00"
    try:
        value = datetime.fromisoformat(lexical.replace("T24:", "T00:", 1) if midnight else lexical)
        value += timedelta(days=midnight)
        return value if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def canonical_time(lexical: str) -> str:
    """A canonical lexical form of an instant; the given one where it cannot be compared."""
    value = comparable_time(lexical)
    return lexical if value is None else value.isoformat()


class Terms:
    """The terms of one instance.

    Attributes:
        names: by number: an identifier, or the lexical form of an instant (of several the least).
        variables: the numbers of existential variables other than ``FRESH``.
        bound: the term that a variable is bound to.
    """

    def __init__(self) -> None:
        self.names: list[str] = ["", "-"]
        self.variables: set[int] = set()
        self.bound: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._instants: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str) -> int:
        """The number of an identifier."""
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.names)
            self.names.append(name)
            if is_anonymous(name):
                self.variables.add(found)
        return found

    def value(self, name: str) -> int:
        """The number of an identifier in an attribute, once unification is done.

        Attributes have no placeholder ``-``. A variable that was bound to it elsewhere stands for itself there.
        """
        number = self.number(name)
        found = self.find(number)
        return number if found == NONE else found

    def time(self, lexical: str) -> int:
        """The number of an instant; lexical forms of the same instant have the same number."""
        found = self._times.get(lexical)
        if found is None:
            key = canonical_time(lexical)
            found = self._instants.get(key)
            if found is None:
                found = self._instants[key] = len(self.names)
                self.names.append(lexical)
            else:
                self.names[found] = min(self.names[found], lexical)
            self._times[lexical] = found
        return found

    def variable(self) -> int:
        """A new existential variable."""
        number = len(self.names)
        self.names.append("")
        self.variables.add(number)
        return number

    def find(self, term: int) -> int:
        """The term that a term is bound to, transitively; itself where it is not bound."""
        bound = self.bound
        if term not in bound:
            return term
        root = bound[term]
        while root in bound:
            root = bound[root]
        while term != root:
            bound[term], term = root, bound[term]
        return root
