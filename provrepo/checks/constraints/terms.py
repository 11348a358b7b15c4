"""Terms as small integers: identifiers and instants that statements share, and existential variables among them.

Unification (PROV-CONSTRAINTS section 6.1) equates terms. Most existential variables occur once: the identifier of an
anonymous relation, a time that is not given. One number, ``FRESH``, stands for all of those: nothing can be learned
of it elsewhere, so it needs no identity. Blank nodes may occur several times and are variables of their own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from provrepo.model.identifiers import is_anonymous

__all__ = ["CLASH", "FRESH", "NONE", "Terms", "instant", "moment"]

FRESH = 0
"""An existential variable that occurs nowhere else."""

NONE = 1
"""The placeholder ``-`` where it is not expandable: a constant that differs from all others."""

CLASH = -1
"""What two different constants unify to."""

_CLOCK = slice(11, 19)
_BEYOND_MICROSECONDS = re.compile(r"\.\d{6}\d")


def moment(lexical: str) -> datetime | None:
    """An ``xsd:dateTime`` as a point that can be compared: in UTC where it has an offset, without zone where not.

    Returns:
        None where Python cannot hold it: years beyond 9999, more digits than microseconds have, or what is no instant
        at all.
    """
    # Python cuts off further digits without a word.
    if "." in lexical and _BEYOND_MICROSECONDS.search(lexical):
        return None
    midnight = lexical[_CLOCK] == "24:00:00"
    try:
        value = datetime.fromisoformat(lexical.replace("T24:", "T00:", 1) if midnight else lexical)
        value += timedelta(days=midnight)
        return value if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant(lexical: str) -> str:
    """One spelling for all that mean the same instant; what cannot be compared stands for itself."""
    value = moment(lexical)
    return lexical if value is None else value.isoformat()


class Terms:
    """The terms of one instance.

    Attributes:
        names: by number; an identifier, or an instant as it was spelled (of several spellings the least).
        variables: the numbers of named existential variables.
        bound: what a variable was found to be equal to.
    """

    def __init__(self) -> None:
        self.names: list[str] = ["", "-"]
        self.variables: set[int] = set()
        self.bound: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self._spelled: dict[str, int] = {}
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

    def time(self, lexical: str) -> int:
        """The number of an instant; spellings of the same instant have the same number."""
        found = self._spelled.get(lexical)
        if found is None:
            key = instant(lexical)
            found = self._instants.get(key)
            if found is None:
                found = self._instants[key] = len(self.names)
                self.names.append(lexical)
            else:
                self.names[found] = min(self.names[found], lexical)
            self._spelled[lexical] = found
        return found

    def variable(self) -> int:
        """A new existential variable."""
        number = len(self.names)
        self.names.append("")
        self.variables.add(number)
        return number

    def find(self, term: int) -> int:
        """What a term stands for now."""
        bound = self.bound
        if term not in bound:
            return term
        root = bound[term]
        while root in bound:
            root = bound[root]
        while term != root:
            bound[term], term = root, bound[term]
        return root
